"""The stand-in WeCom: a small platform of its own that behaves as 企业微信 does, for trial, tests and benchmarks.

It imports nothing of the SCRM, so that a mistake shared by both sides cannot hide. It starts in a fraction of
a second (`python -m scrm.standin`, or `manage.py standin`) or inside a test:

    standin = StandIn(scenario="empty", corp_id="ww…", secret="…", callback_token="…", aes_key="…",
                      callback_url="http://127.0.0.1:8000/wecom/callback/", port=0)
    standin.start()
    standin.url                                  # "http://127.0.0.1:PORT/cgi-bin/"
    standin.act("create_user", userid="wanglei", name="王磊")
    added = standin.act("add", userid="wanglei", state="ch_1")      # {"external_userid", "welcome_code", …}
    standin.callbacks.wait_idle(10)              # every event has been accepted, or given up
    standin.ledger.of("welcome")                 # every effect that the platform accepted
    standin.stop()

Rooms: `world` what is true, split by subject (`book`, `contacts`, `tags`, `chats`, `ways`, `broadcasts`, `media`,
`app_messages`, `sign_ins`) · `actions` what people do to it · `api` the platform's endpoints · `pages` its web pages ·
`callbacks` encrypted events to us · `lag` reads that are late · `faults` what goes wrong on demand · `ledger` the
witness · `control` the hidden `/_standin/` pages · `behaviour` people who act by themselves, `confirming` when staff
confirm · `scenarios` seeded histories that the demo loads as well.
"""
