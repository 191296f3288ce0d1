"""What a participant should not have to think about: data, training loops, metrics and figures."""
