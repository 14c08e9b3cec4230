from datetime import datetime

import pytz

berlin = pytz.timezone("Europe/Berlin")
print(berlin.localize(datetime(2024, 7, 1, 12)).astimezone(pytz.utc).isoformat(), len(pytz.all_timezones) > 400)
print(pytz.country_timezones["ch"], pytz.country_names["ch"], "Asia/Kolkata" in pytz.common_timezones_set)
try:
    pytz.timezone("No/Where")
except pytz.UnknownTimeZoneError as error:
    print(type(error).__name__, error)
