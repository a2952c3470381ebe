"""The frequency spectrum: how many sequences are stored once, twice, …, and what it tells."""

from __future__ import annotations

from typing import no_type_check

from plasticish.core.compiled import compiled, inlined

__all__ = ["readings", "recount"]

CLEAR, SURE = 4.0, 5.0  # how far a peak has to stand out, and how large it has to be


@inlined
@no_type_check
def recount(spectrum, before, after):
    """Note that a sequence stored ``before`` times is now stored ``after`` times."""
    last = len(spectrum) - 1
    spectrum[min(int(before + 0.5), last)] -= 1
    spectrum[min(int(after + 0.5), last)] += 1


@compiled
@no_type_check
def readings(spectrum):
    """Return how often all that is stored seems to have been read, 1 or more.

    Of what comes by chance, however uneven, (k + 1) N(k + 1) / N(k) never falls with k, N(k) being
    how many sequences came k times (Good 1953: it is the rate of those that came k times). A peak
    of N at some k > 1 that breaks this, with a quarter of all sequences in it, was made by reading
    a list k times.
    """
    least = 0.25 * spectrum[1:].sum()
    for k in range(2, len(spectrum) - 1):
        below, above = spectrum[k - 1] + SURE, spectrum[k + 1] + SURE
        if spectrum[k] > least and k * spectrum[k] * spectrum[k] > CLEAR * (k + 1) * below * above:
            return k
    return 1
