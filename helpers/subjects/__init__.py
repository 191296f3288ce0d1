"""One room for each subject: its data, simulator, floor, metrics and figures."""
