import datetime

from django.shortcuts import render

from .models import Question


def index(request):
    title = Question._meta.verbose_name
    return render(request, "polls/index.html", {"title": title, "number": 1234.5, "day": datetime.date(2024, 3, 1)})
