"""Who may sign in, and as what."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from common import clock


class Role(models.TextChoices):
    """What a person is to us. One account, one role: a provider who is also a client has two accounts."""

    CLIENT = "client", _("Client")
    PROVIDER = "provider", _("Provider")
    SUPPORT = "support", _("Support")
    AUDITOR = "auditor", _("Auditor")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields.setdefault("role", Role.SUPPORT)
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """An account. The e-mail address is the login, whatever its case."""

    email = models.EmailField(_("e-mail address"), unique=True)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.CLIENT)
    is_staff = models.BooleanField(default=False, help_text=_("May open the support desk."))
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """The name of the person behind the account, or the address when there is none yet."""
        for kind in ("client", "provider"):
            person = getattr(self, kind, None)
            if person is not None:
                return str(person)
        return self.email
