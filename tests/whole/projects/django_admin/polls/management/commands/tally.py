from django.apps import apps
from django.contrib import admin
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Count what is registered."

    def handle(self, *args, **options):
        self.stdout.write(f"{len(apps.get_models())} models, {sorted(m.__name__ for m in admin.site._registry)}")
