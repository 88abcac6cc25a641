"""Automatic model tuning without a server: what may be searched, what to try next, when to stop.

    request ─▶ autotune ─▶ rules ─▶ plan ─▶ strategy.ask ─▶ a child runs ─▶ strategy.tell ─▶ progress.decide
                                                 ▲                │
                                                 └──── should_stop ◀── its objective metric, value by value

Nothing here starts, waits for or stores anything; everything is rebuilt from the request and the children.
"""
