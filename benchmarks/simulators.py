"""The simulators of the course against the way their sources draw."""

from functools import partial

from benchmarks.timing import ratios
from helpers.subjects.rings import mock


def measure():
    """Yield what is measured, a function that gives its values turn by turn, and the target."""
    few = 200
    many = 6000
    for kind in ("classifier", "regressor", "ellipse"):

        def image_by_image(kind=kind):
            for seed in range(few):
                mock.simulate(1, seed, kind, draw=mock.draw_rings_one_by_one)

        def disc_by_disc(kind=kind):
            mock.simulate(few, 0, kind, draw=mock.draw_rings_one_by_one)

        def ours(kind=kind):
            mock.simulate(many, 0, kind)

        work = many / few
        yield (
            f"rings, {kind}: one image at a time with Pillow / ours",
            partial(ratios, image_by_image, ours, work=work),
            "> 1",
        )
        yield (
            f"rings, {kind}: only the discs with Pillow / ours",
            partial(ratios, disc_by_disc, ours, work=work),
            "> 1",
        )
