"""The full sync of chats, over the stand-in's real HTTP."""

from typing import Any

from contacts import sync
from contacts.models import SyncRun
from groups.models import GroupChat, Stay


def synced() -> SyncRun:
    return sync.run_inline(sync.start())


def test_reads_chats_with_their_members(standin: Any) -> None:
    standin.act("create_user", callback=False, userid="wanglei", name="王磊")
    friend = standin.act("add", callback=False, userid="wanglei")["external_userid"]
    stranger = standin.act("create_person", callback=False)["external_userid"]
    chat_id = standin.act("create_chat", callback=False, owner="wanglei", name="福利群", members=[friend, stranger])[
        "chat_id"
    ]

    run = synced()

    assert (run.state, run.error) == ("done", "")
    chat = GroupChat.objects.get()
    assert (chat.chat_id, chat.name, chat.people, chat.external_people) == (chat_id, "福利群", 3, 2)
    assert Stay.objects.filter(counted=False, joined_known_by="first_read", left_at=None).count() == 3
    assert run.counts["members"] == 3
