from django.apps import AppConfig


class HeadwayConfig(AppConfig):
    name = "headway"
    verbose_name = "Headway"

    def ready(self) -> None:
        # Makes this project's worker the one that every `shared_task` belongs to, in whatever process sends it.
        from headway import celery  # noqa: F401, PLC0415
