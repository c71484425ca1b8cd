from django.apps import AppConfig


class HeadwayConfig(AppConfig):
    name = "headway"
    verbose_name = "Headway"
