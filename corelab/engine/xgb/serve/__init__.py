"""The XGBoost container's inference side, without its web server.

bytes ── payload ──▶ features ── scorer ──▶ predictions ── answer ──▶ bytes
         csv_text                model_files               selection
└────────────────────────── app: one request's life ───────────────────────┘
worker: the child process that feeds frames to the app
"""
