"""One module for each part of the console: functions from sources and an address to a page's facts."""
