"""The judge: each broken zip gets the one sentence that says what to do, and good ones get none."""

import json
import zipfile
from typing import Any

import pytest

from bots.widget import check_widget
from tests.bots.widget.zips import (
    a_png,
    files_of,
    our_zip,
    ours,
    with_file,
    with_json,
    with_manifest,
    zip_of,
)

LOCATIONS = ["settings", "salesbot_designer"]


def told(zip_bytes: bytes, **options: Any) -> list[str]:
    return [str(one) for one in check_widget(zip_bytes, **options)]


def renamed(change: Any) -> bytes:
    return zip_of({change(name): content for name, content in files_of(our_zip()).items()})


def with_locations(*more: str, **parts: Any) -> bytes:
    return with_manifest(locations=[*LOCATIONS, *more], **parts)


def with_step(**parts: Any) -> bytes:
    return with_manifest(**{f"salesbot_designer__answer__settings__bot__{key}": value for key, value in parts.items()})


def test_ours_and_what_a_zip_program_makes_of_it_are_good():
    assert told(our_zip()) == []
    assert told(ours()) == []
    assert told(zip_of(files_of(our_zip()), method=zipfile.ZIP_STORED)) == []


ARCHIVE = [
    pytest.param(
        lambda: renamed(lambda name: name.replace("/", "\\")),
        "zip: must separate folders by / and not by a backslash as in i18n\\en.json, i18n\\es.json, i18n\\pt.json and "
        "13 more; "
        "pack it with a program that writes forward slashes.",
        id="backslashes",
    ),
    pytest.param(
        lambda: renamed(lambda name: f"kommo-widget/{name}"),
        "zip: must have manifest.json at its top, and it lies in the folder kommo-widget; "
        "pack the files themselves, not the folder around them.",
        id="a folder around the files",
    ),
    pytest.param(
        lambda: ours(lambda files: files.update({"../../etc/passwd": b""})),
        "zip: must hold no paths that lead out of it, such as ../../etc/passwd; "
        "name files relative to the top of the zip.",
        id="a path out of the zip",
    ),
    pytest.param(
        lambda: ours(lambda files: files.update({"C:/style.css": b"", "/style.css": b""})),
        "zip: must hold no paths that lead out of it, such as C:/style.css, /style.css; "
        "name files relative to the top of the zip.",
        id="paths from a root",
    ),
]

MANIFEST = [
    pytest.param(
        lambda: with_file("manifest.json", None),
        "manifest.json: must lie at the top of the zip; add it.",
        id="no manifest",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b"[]"),
        "manifest.json: must be a JSON object; put everything between { and }.",
        id="a manifest that is a list",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b'{\n  "widget": {"name": "a",}\n}'),
        "manifest.json: must be JSON, and line 2, column 26 is not (Expecting property name enclosed in double "
        "quotes); correct it there, without comments and trailing commas.",
        id="a trailing comma",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b'{"manual": true, // the user types\n}'),
        "manifest.json: must be JSON, and line 1, column 18 is not (Expecting property name enclosed in double "
        "quotes); correct it there, without comments and trailing commas.",
        id="a comment",
    ),
    pytest.param(
        lambda: ours(lambda files: files.update({"manifest.json": b"\xef\xbb\xbf" + files["manifest.json"]})),
        "manifest.json: must be UTF-8 without a byte order mark; save it as UTF-8 without BOM.",
        id="a byte order mark",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b'{"widget": "\xff"}'),
        "manifest.json: must be JSON in UTF-8; save it as UTF-8 and check it for odd values.",
        id="a manifest in Latin-1",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b'{"widget": NaN}'),
        "manifest.json: must be JSON in UTF-8; save it as UTF-8 and check it for odd values.",
        id="NaN",
    ),
    pytest.param(
        lambda: with_file("manifest.json", b"{}"),
        "manifest.json: must have the object widget; describe the widget there.",
        id="an empty manifest",
    ),
]

WIDGET = [
    pytest.param(
        lambda: with_manifest(widget__name="KommoBridge"),
        'manifest.json: widget.name must be an i18n key such as widget.name, and it is "KommoBridge"; '
        "put the text into the i18n files and name its key.",
        id="a name that is no key",
    ),
    pytest.param(
        lambda: with_manifest(widget__description=...),
        "manifest.json: widget.description must be an i18n key such as widget.description, and it is null; "
        "put the text into the i18n files and name its key.",
        id="no description",
    ),
    pytest.param(
        lambda: with_manifest(widget__version="1.0"),
        'manifest.json: widget.version must be a text of three numbers such as 1.0.3, and it is "1.0"; '
        "correct it, and raise it with every upload.",
        id="a version of two numbers",
    ),
    pytest.param(
        lambda: with_manifest(widget__version=1),
        "manifest.json: widget.version must be a text of three numbers such as 1.0.3, and it is 1; "
        "correct it, and raise it with every upload.",
        id="a version that is a number",
    ),
    pytest.param(
        lambda: with_manifest(widget__interface_version="2"),
        'manifest.json: widget.interface_version must be the number 2, and it is "2"; write 2 without quotation marks.',
        id="an interface version in quotes",
    ),
    pytest.param(
        lambda: with_manifest(widget__interface_version=1),
        "manifest.json: widget.interface_version must be the number 2, and it is 1; write 2 without quotation marks.",
        id="an old interface version",
    ),
    pytest.param(
        lambda: with_manifest(widget__init_once="no"),
        'manifest.json: widget.init_once must be true or false, and it is "no"; write it without quotation marks.',
        id="init_once as a word",
    ),
    pytest.param(
        lambda: with_manifest(widget__installation="true"),
        'manifest.json: widget.installation must be true or false, and it is "true"; '
        "write true for a widget that people install.",
        id="installation as a word",
    ),
    pytest.param(
        lambda: with_manifest(widget__locale="en"),
        'manifest.json: widget.locale must list at least one language, and it is "en"; '
        "list some of en, es, pt, tr, id.",
        id="a locale that is no list",
    ),
    pytest.param(
        lambda: our_zip(hosts="amocrm"),
        "manifest.json: widget.locale may list en, es, pt, tr, id, and not ru (Russian is for amoCRM only); "
        "take it out.",
        id="Russian for Kommo",
    ),
]

PARTS = [
    pytest.param(
        lambda: with_manifest(locations=[]),
        "manifest.json: locations must list at least one place, and it is []; "
        "list salesbot_designer for a Widget step.",
        id="no location",
    ),
    pytest.param(
        lambda: with_locations("salesbot"),
        "manifest.json: locations may list places that Kommo has, and not salesbot; "
        "correct its spelling or take it out.",
        id="an unknown location",
    ),
    pytest.param(
        lambda: with_locations("lcard-0", "lcard-1"),
        "manifest.json: locations may list a place as -0 or as -1, and it lists lcard as both; "
        "take one of the two out.",
        id="both kinds of a card",
    ),
    pytest.param(
        lambda: with_manifest(settings={}),
        "manifest.json: settings must hold at least one setting, since the widget has a settings window; "
        "declare one, if only an optional note.",
        id="no setting",
    ),
    pytest.param(
        lambda: with_manifest(settings__note__type="email"),
        "manifest.json: settings.note.type must be one of text, pass, users, users_lp, custom, and it is "
        '"email"; choose one of them.',
        id="an unknown type of setting",
    ),
    pytest.param(
        lambda: with_manifest(settings__note__required="false"),
        'manifest.json: settings.note.required must be true or false, and it is "false"; '
        "write it without quotation marks.",
        id="required as a word",
    ),
    pytest.param(
        lambda: with_manifest(settings__note="text"),
        'manifest.json: settings.note must be an object, and it is "text"; give it name and type.',
        id="a setting that is a text",
    ),
    pytest.param(
        lambda: with_manifest(settings__note__name=...),
        "manifest.json: settings.note.name must be an i18n key, and it is null; name a key of the i18n files.",
        id="a setting without a name",
    ),
    pytest.param(
        lambda: with_manifest(tour__is_tour=False),
        "manifest.json: tour.is_tour must be true, and it is false; "
        "set it to true and list one picture for each locale.",
        id="no tour",
    ),
    pytest.param(
        lambda: with_manifest(tour__tour_description=""),
        'manifest.json: tour.tour_description must be an i18n key, and it is ""; '
        "put the text into the i18n files and name its key.",
        id="a tour without words",
    ),
    pytest.param(
        lambda: with_manifest(tour__tour_images__tr=[]),
        "manifest.json: tour.tour_images.tr must list at least one picture; list one, such as /images/tour_1_en.png.",
        id="a tour without a picture",
    ),
    pytest.param(
        lambda: with_file("images/tour_es.png", None),
        "manifest.json: tour.tour_images.es must list pictures of the zip, unlike /images/tour_es.png; "
        "add the file or correct the path.",
        id="a tour picture that isn't there",
    ),
    pytest.param(
        lambda: with_file("images/tour_es.png", b"<svg/>"),
        "manifest.json: tour.tour_images.es must list PNG, JPEG or GIF, unlike /images/tour_es.png; "
        "save it as one of them.",
        id="a tour picture that is none",
    ),
]

PLACES = [
    pytest.param(
        lambda: with_manifest(salesbot_designer=...),
        "manifest.json: salesbot_designer must hold at least one handler, since locations has salesbot_designer; "
        "describe the Widget step there: a code with name and settings.",
        id="no Widget step",
    ),
    pytest.param(
        lambda: with_manifest(salesbot_designer={"logo": "/images/logo.png"}),
        "manifest.json: salesbot_designer must hold at least one handler, since locations has salesbot_designer; "
        "describe the Widget step there: a code with name and settings.",
        id="a logo without a Widget step",
    ),
    pytest.param(
        lambda: with_manifest(salesbot_designer__logo=True),
        "manifest.json: salesbot_designer.logo must be a path, and it is true; name a picture or leave it out.",
        id="a logo that is no path",
    ),
    pytest.param(
        lambda: with_manifest(salesbot_designer__answer="widget_request"),
        'manifest.json: salesbot_designer.answer must be an object, and it is "widget_request"; '
        "give it name and settings.",
        id="a handler that is a text",
    ),
    pytest.param(
        lambda: with_manifest(salesbot_designer__answer__settings=[]),
        "manifest.json: salesbot_designer.answer.settings must be an object, and it is []; list the step's fields.",
        id="a step's settings as a list",
    ),
    pytest.param(
        lambda: with_step(type="textarea"),
        "manifest.json: salesbot_designer.answer.settings.bot.type must be one of text, numeric, url, and it is "
        '"textarea"; choose one of them.',
        id="an unknown type of a step's field",
    ),
    pytest.param(
        lambda: with_step(manual=1),
        "manifest.json: salesbot_designer.answer.settings.bot.manual must be true or false, and it is 1; "
        "write it without quotation marks.",
        id="manual as a number",
    ),
    pytest.param(
        lambda: with_locations("digital_pipeline", dp={"settings": {}, "action_multiple": False}),
        "manifest.json: dp.webhook_url must be a text, since locations has digital_pipeline, and it is null; "
        "write it, or take the location out.",
        id="a pipeline without an address",
    ),
    pytest.param(
        lambda: with_locations("digital_pipeline", dp={"webhook_url": "https://bridge.example.com/dp"}),
        "manifest.json: dp.action_multiple must be true or false, and it is null; "
        "say whether the action may span several stages.",
        id="a pipeline that doesn't say how far it reaches",
    ),
    pytest.param(
        lambda: with_locations("sms"),
        "manifest.json: sms.endpoint must be a text, since locations has sms, and it is null; "
        "write it, or take the location out.",
        id="sms without an endpoint",
    ),
    pytest.param(
        lambda: with_locations("advanced_settings"),
        "manifest.json: advanced.title must be a text, since locations has advanced_settings, and it is null; "
        "write it, or take the location out.",
        id="advanced settings without a title",
    ),
]

TEXTS = [
    pytest.param(
        lambda: with_file("i18n/pt.json", None),
        "i18n/pt.json: must be there, since widget.locale names it; add it, or take the locale out.",
        id="a locale without its file",
    ),
    pytest.param(
        lambda: with_file("i18n/pt.json", b"{"),
        "i18n/pt.json: must be JSON, and line 1, column 2 is not (Expecting property name enclosed in double "
        "quotes); correct it there, without comments and trailing commas.",
        id="texts that are no JSON",
    ),
    pytest.param(
        lambda: with_json("i18n/tr.json", lambda texts: texts["salesbot"].pop("bot")),
        "i18n/tr.json: must have the key salesbot.bot, which manifest.json names in "
        "salesbot_designer.answer.settings.bot.name; add its text.",
        id="a key that the manifest names is missing",
    ),
    pytest.param(
        lambda: with_json("i18n/id.json", lambda texts: texts["settings"].update(note=" ")),
        'i18n/id.json: must have a text for settings.note, and it has " "; write one.',
        id="an empty text",
    ),
    pytest.param(
        lambda: with_json("i18n/es.json", lambda texts: texts["salesbot"].pop("silent")),
        "i18n/es.json: must have the same keys as the other locales, and it lacks salesbot.silent; "
        "add them, or take them out everywhere.",
        id="a key that the others have",
    ),
]

PICTURES = [
    pytest.param(
        lambda: with_file("images/logo_medium.png", None),
        "images/logo_medium.png: must be there; add it as a PNG of 240 x 84 pixels.",
        id="a logo that isn't there",
    ),
    pytest.param(
        lambda: with_file("images/logo.png", a_png(131, 100)),
        "images/logo.png: must have 130 x 100 pixels, and it has 131 x 100; scale it to exactly that size.",
        id="a logo one pixel too wide",
    ),
    pytest.param(
        lambda: with_file("images/logo_min.png", b"\xff\xd8\xff\xe0" + bytes(500)),
        "images/logo_min.png: must be a whole PNG, and it is none; save it as a PNG of 84 x 84 pixels.",
        id="a JPEG under a PNG's name",
    ),
    pytest.param(
        lambda: with_file("images/logo_min.png", a_png(84, 84)[:-12]),
        "images/logo_min.png: must be a whole PNG, and it is none; save it as a PNG of 84 x 84 pixels.",
        id="half a PNG",
    ),
    pytest.param(
        lambda: with_file("images/logo_main.png", a_png(400, 272, padding=310 * 1024)),
        "images/logo_main.png: must not have more than 300 KB, and it has 310; save it with fewer colours.",
        id="a logo that is too heavy",
    ),
    pytest.param(
        lambda: ours(
            lambda files: (
                files.pop("images/logo_dp.png"),
                files.update(
                    {
                        "manifest.json": json.dumps(
                            json.loads(files["manifest.json"])
                            | {
                                "locations": [*LOCATIONS, "digital_pipeline"],
                                "dp": {"webhook_url": "https://b.example", "action_multiple": True, "settings": {}},
                            }
                        ).encode()
                    }
                ),
            )
        ),
        "images/logo_dp.png: must be there; add it as a PNG of 174 x 109 pixels.",
        id="no logo for the pipeline",
    ),
]

SCRIPT = [
    pytest.param(
        lambda: with_file("script.js", None),
        "script.js: must be there and not be empty; add it at the top of the zip.",
        id="no script",
    ),
    pytest.param(
        lambda: with_file("script.js", b"\xff\xfe"),
        "script.js: must be written in UTF-8; save it as UTF-8.",
        id="a script in UTF-16",
    ),
    pytest.param(
        lambda: ours(lambda files: files.update({"script.js": files["script.js"].replace(b"define(", b"(")})),
        "script.js: must be an AMD module, and it has no define(...); "
        "wrap it in define([], function () { return function () { ... }; }).",
        id="no AMD module",
    ),
]

BROKEN = [*ARCHIVE, *MANIFEST, *WIDGET, *PARTS, *PLACES, *TEXTS, *PICTURES, *SCRIPT]


@pytest.mark.parametrize(("broken", "sentence"), BROKEN)
def test_a_broken_zip_gets_exactly_the_sentence_that_says_so(broken, sentence):
    found = check_widget(broken())
    assert [str(one) for one in found] == [sentence]
    assert not found[0].is_warning


WARNINGS = [
    pytest.param(
        lambda: with_manifest(widget__support=...),
        [
            "manifest.json: widget.support.link should be a text, and it is null; "
            "say where the widget's users find help.",
            "manifest.json: widget.support.email should be a text, and it is null; "
            "say where the widget's users find help.",
        ],
        id="no support",
    ),
    pytest.param(
        lambda: with_manifest(widget__installation=False),
        [
            "manifest.json: widget.installation should be true, and it is false; "
            "write true, or the widget has no button to install it and its step isn't offered."
        ],
        id="nothing to install",
    ),
    pytest.param(
        lambda: with_manifest(salesbot_designer__answer__name="Ask us"),
        [
            "manifest.json: salesbot_designer.answer.name should be an i18n key such as settings.note, and it is "
            '"Ask us"; put the text into the i18n files, or it reads the same in every language.'
        ],
        id="a step named by a text",
    ),
    pytest.param(
        lambda: with_manifest(locations=["settings"]),
        [
            "manifest.json: salesbot_designer needs the location of the same name, and locations lacks it; "
            "add salesbot_designer to locations, or the Widget step isn't offered."
        ],
        id="a step without its location",
    ),
    pytest.param(
        lambda: with_manifest(salesbot_designer__logo="/widgets/mine/images/shrek.jpg"),
        [
            "manifest.json: salesbot_designer.logo should name a picture of the zip, unlike "
            "/widgets/mine/images/shrek.jpg; add the file or leave logo out."
        ],
        id="a step's logo that isn't there",
    ),
    pytest.param(
        lambda: with_file(
            "script.js", b"define([], function () { return function () { this.callbacks = {init() {}}; }; });"
        ),
        [
            "script.js: must have the callback onSalesbotDesignerSave for its Widget step; "
            "let it return the step's flow as JSON text.",
            "script.js: must have the callback salesbotDesignerSettings, or the designer fails with \"reading 'id'\"; "
            "let it return {exits: [{code, title}]}.",
        ],
        id="a script without the designer's callbacks",
    ),
]


@pytest.mark.parametrize(("odd", "sentences"), WARNINGS)
def test_what_kommo_takes_but_wont_work_is_a_warning(odd, sentences):
    found = check_widget(odd())
    assert [str(one) for one in found] == sentences
    assert all(one.is_warning for one in found)


GOOD = [
    pytest.param(lambda: with_manifest(salesbot_designer__logo="/widgets/mine/images/logo.png"), id="Kommo's own path"),
    pytest.param(lambda: with_manifest(salesbot_designer__conditions=[{"term1": {}}]), id="conditions of a widget"),
    pytest.param(lambda: with_manifest(widget__init_once=...), id="nothing said on init_once"),
    pytest.param(lambda: with_step(default_value=...), id="a field without a default"),
    pytest.param(lambda: with_step(default_value="www.kommo.com"), id="a default that looks like a key"),
    pytest.param(lambda: with_file("style.css", b"p {}"), id="a style sheet"),
    pytest.param(lambda: with_file("templates/a.twig", b"{{ x }}"), id="a template"),
    pytest.param(lambda: with_file("i18n/fr.json", b"{"), id="texts of a locale that isn't used"),
    pytest.param(lambda: with_file("images/logo_dp.png", None), id="no pipeline logo, no pipeline"),
    pytest.param(lambda: with_file("images/tour_en.png", b"\xff\xd8\xff\xe0 a photo"), id="a tour in JPEG"),
    pytest.param(lambda: with_locations("lcard-0", "ccard-1", "everywhere"), id="more places"),
    pytest.param(
        lambda: zip_of({"images/": b"", "i18n/": b"", **files_of(our_zip())}), id="folders as entries of their own"
    ),
]


@pytest.mark.parametrize("good", GOOD)
def test_what_kommo_allows_is_no_breach(good):
    assert told(good()) == []


def test_russian_is_no_breach_for_amocrm():
    assert told(our_zip(hosts="amocrm"), hosts="amocrm") == []


def test_all_breaches_are_told_at_once_the_refusals_first():
    def spoil(files):
        files["manifest.json"] = files["manifest.json"].replace(b'"1.0.0"', b'"1"')
        files["script.js"] += b"\nnowhere();"
        del files["i18n/es.json"], files["images/logo.png"]

    found = check_widget(ours(spoil))
    assert [(one.file, one.is_warning) for one in found] == [
        ("manifest.json", False),
        ("i18n/es.json", False),
        ("images/logo.png", False),
        ("script.js", True),
    ]


def test_a_folder_around_the_files_hides_no_other_breach():
    files = files_of(with_file("images/logo.png", None))
    found = check_widget(zip_of({f"widget/{name}": content for name, content in files.items()}))
    assert [one.file for one in found] == ["zip", "images/logo.png"]


@pytest.mark.parametrize("broken", [pytest.param(case.values[0], id=str(case.id)) for case in [*BROKEN, *WARNINGS]])
def test_every_breach_is_one_sentence_of_file_rule_and_remedy(broken):
    for one in check_widget(broken()):
        assert one.file
        assert one.rule
        assert one.remedy
        assert str(one) == f"{one.file}: {one.rule}; {one.remedy}."
        assert str(one).isprintable()
        assert ". " not in str(one).replace("...", "")
