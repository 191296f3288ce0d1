"""Exercises that never block and check themselves.

``@exercise("06.ring_mask")`` stands over a participant's function or class. It runs the checks of
that name on small inputs and answers with one line: *to do*, *not yet: what is wrong*, or
*correct*, and in a notebook with a figure where there is something to see. Until the attempt is
correct, the reference solution is handed to the cells below, so that a notebook always runs to its
end. With ``HACK_STRICT=1`` anything but a correct answer raises instead.

The checks of hack 06 stand in ``helpers/checks/hack06.py``, which is imported when the first of
them is needed::

    @check("06.ring_mask", hints=["Every pixel has a distance from the centre ..."])
    def ring_mask(attempt, reference):
        require(attempt(...).shape == (28, 28), "the mask has shape ..., expected (28, 28)")

The checks look for slips, not for cheats: who hands in the reference itself is told that it is
correct.
"""

from helpers.exercises.answers import Answer, exercise, hint, judge
from helpers.exercises.registry import ExerciseError, UnknownExercise, check

__all__ = ["Answer", "ExerciseError", "UnknownExercise", "check", "exercise", "hint", "judge"]
