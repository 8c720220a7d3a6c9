"""The models that somebody chose, for one client or for everything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choices:
    """References, or None where nothing was chosen."""

    model: str | None = None
    small_model: str | None = None

    def over(self, others: "Choices") -> "Choices":
        """These choices, and `others` where they leave something open."""
        return Choices(self.model or others.model, self.small_model or others.small_model)


NO_CHOICES = Choices()
