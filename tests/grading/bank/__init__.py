"""Right and wrong submissions to every assignment, and what each of them must lose."""

from . import a1, a2, a3, a4, a5

BANKS = (a1.BANK, a2.BANK, a3.BANK, a4.BANK, a5.BANK)
