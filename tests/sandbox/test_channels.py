"""What each channel takes (protocol §10, §3.3)."""

import pytest

from sandbox.channels import DAY_SECONDS, LIMITS, delivered
from sandbox.salesbot.effects import Shown
from sandbox.salesbot.handlers import Button


def sent(channel, text="Hi", *, buttons=(), attachments=(), silent_s=0.0):
    return delivered(Shown(text, tuple(buttons), (), tuple(attachments)), channel=channel, silent_s=silent_s)


@pytest.mark.parametrize(
    ("channel", "longest"),
    [
        pytest.param("waba", 4096, marks=pytest.mark.statement("S10.waba")),
        pytest.param("whatsapp", 4096, marks=pytest.mark.statement("S10.whatsapp")),
        pytest.param("telegram", 4096, marks=pytest.mark.statement("S10.telegram")),
        pytest.param("facebook", 2000, marks=pytest.mark.statement("S10.facebook")),
        pytest.param("instagram", 1000, marks=pytest.mark.statement("S10.instagram")),
        pytest.param("instagram_business", 1000, marks=pytest.mark.statement("S10.instagram")),
    ],
)
def test_a_text_as_long_as_the_channel_takes_arrives_and_one_more_does_not(channel, longest):
    assert sent(channel, "ñ" * longest) == Shown("ñ" * longest)

    failed = sent(channel, "ñ" * (longest + 1)).failed
    assert f"at most {longest:,} characters" in failed
    assert f"{longest + 1:,}" in failed


@pytest.mark.statement("S10.others")
@pytest.mark.parametrize("channel", ["livechat", "com.example.own"])
def test_of_other_channels_no_limit_is_known(channel):
    assert sent(channel, "x" * 50_000, buttons=[Button("b" * 90)] * 25, silent_s=10 * DAY_SECONDS).failed == ""


@pytest.mark.parametrize(
    ("channel", "most"),
    [
        pytest.param("waba", 3, marks=pytest.mark.statement("S10.waba-buttons")),
        pytest.param("facebook", 13, marks=pytest.mark.statement("S10.facebook-buttons")),
    ],
)
def test_a_channel_takes_so_many_buttons_and_no_more(channel, most):
    assert sent(channel, buttons=[Button("b")] * most).failed == ""
    assert f"at most {most} buttons" in sent(channel, buttons=[Button("b")] * (most + 1)).failed


@pytest.mark.statement("S10.button-chars")
@pytest.mark.parametrize("channel", ["waba", "facebook"])
def test_a_button_has_at_most_20_characters(channel):
    assert sent(channel, buttons=[Button("b" * 20)]).failed == ""
    assert "at most 20 characters on a button; one has 21" in sent(channel, buttons=[Button("b" * 21)]).failed


@pytest.mark.statement("S10.whatsapp-lite-buttons")
def test_whatsapp_lite_has_no_buttons():
    assert sent("whatsapp", buttons=[Button("b")]).failed == "WhatsApp Lite has no buttons."


@pytest.mark.statement("S3.3.one-photo")
def test_whatsapp_takes_one_photo_in_a_message():
    assert sent("waba", attachments=["picture 1"]).failed == ""
    assert "takes 1 file" in sent("waba", attachments=["picture 1", "picture 2"]).failed


@pytest.mark.statement("S10.window")
@pytest.mark.parametrize("channel", ["waba", "facebook", "instagram"])
def test_a_day_after_the_customers_last_message_nothing_arrives(channel):
    assert sent(channel, silent_s=DAY_SECONDS - 1).failed == ""
    assert "within 24 hours" in sent(channel, silent_s=DAY_SECONDS + 1).failed


@pytest.mark.statement("S2.2.messenger-cut")
def test_messenger_cuts_a_text_that_comes_with_buttons():
    assert sent("facebook", "x" * 100, buttons=[Button("b")]) == Shown("x" * 80, (Button("b"),))
    assert sent("facebook", "x" * 100).text == "x" * 100


def test_a_link_is_no_button_with_a_limit():
    assert sent("waba", buttons=[Button("https://example.com/a/long/address", "https://example.com")]).failed == ""


def test_every_limit_says_what_people_call_the_channel():
    assert all(limits.name for limits in LIMITS.values())
