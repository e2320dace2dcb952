"""A small widget of the tests' own, packed as Kommo wants it, and as it doesn't."""

import copy
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import requests

from sandbox.server import SandboxServer

HOOK = "HOOK_URL"
SIZES = {
    "logo_main.png": (400, 272),
    "logo.png": (130, 100),
    "logo_small.png": (108, 108),
    "logo_medium.png": (240, 84),
    "logo_min.png": (84, 84),
}
MANIFEST: dict[str, Any] = {
    "widget": {
        "name": "widget.name",
        "description": "widget.description",
        "short_description": "widget.short_description",
        "version": "1.0.0",
        "interface_version": 2,
        "init_once": False,
        "locale": ["en", "es"],
        "installation": True,
        "support": {"link": "https://example.com", "email": "help@example.com"},
    },
    "locations": ["settings", "salesbot_designer"],
    "tour": {"is_tour": True, "tour_images": {"en": ["/images/tour.png"]}, "tour_description": "widget.description"},
    "settings": {
        "team": {"name": "settings.team", "type": "text", "required": True},
        "secret": {"name": "settings.secret", "type": "pass", "required": False},
    },
    "salesbot_designer": {
        "ask": {
            "name": "salesbot.ask",
            "settings": {
                "topic": {"name": "salesbot.topic", "type": "text", "default_value": "rooms", "manual": True},
                "who": {"name": "salesbot.who", "type": "text", "default_value": "", "manual": False},
            },
        }
    },
}
ENGLISH = {
    "widget": {"name": "Test widget", "description": "Asks a bridge.", "short_description": "Asks."},
    "settings": {"team": "Team", "secret": "Secret"},
    "salesbot": {"ask": "Ask the bridge", "topic": "Topic", "who": "Who asks", "good": "Fine", "bad": "Not fine"},
}
SPANISH = json.loads(json.dumps(ENGLISH).replace("Topic", "Tema").replace("Test widget", "Widget de prueba"))

# an exit for each status, what the owner filled in as data; written in the old style, as most widgets are
SCRIPT = """
define(['jquery'], function ($) {
  return function CustomWidget() {
    var self = this;
    function leave(code, then) {
      var test = { term1: '{{json.status}}', term2: code, operation: '=' };
      return { handler: 'conditions', params: { logic: 'and', conditions: [test], result: [then] } };
    }
    this.callbacks = {
      render: function () { return true; },
      init: function () { return true; },
      bind_actions: function () { window.bound = self.get_version() + self.get_install_status(); return true; },
      settings: function ($modal) { $modal.append($('<p></p>').text('Account ' + APP.constant('account').id)); },
      onInstall: function () { return true; },
      onSave: function (fields) { return fields.team !== 'nobody'; },
      destroy: function () { window.destroyed = true; },
      salesbotDesignerSettings: function ($body, renderRow, params) {
        $body.append($('<p></p>').text('Asks about ' + params.topic));
        return { exits: [
          { code: 'good', title: self.i18n('salesbot').good }, { code: 'bad', title: self.langs.salesbot.bad }
        ] };
      },
      onSalesbotDesignerSave: function (handler, params) {
        if (params.topic === 'throw') {
          APP.notifications.show_message_error({ header: 'Not saved', text: 'No such topic' });
          throw new Error('No such topic');
        }
        if (params.topic === 'object') { return []; }
        var data = { message: '{{message_text}}', handler: handler, topic: params.topic, who: params.who,
                     team: self.get_settings().team, base: APP.getBaseEntity(), version: self.get_version() };
        var show = { handler: 'show', params: { type: 'text', value: '{{json.message}}' } };
        return JSON.stringify([
          { question: [{ handler: 'widget_request', params: { url: 'HOOK_URL', data: data } },
                       { handler: 'goto', params: { type: 'question', step: 1 } }], require: [] },
          { question: [show, leave('success', { handler: 'exits', params: { value: 'good' } }),
                       { handler: 'exits', params: { value: 'bad' } }], require: [] }
        ]);
      }
    };
    return this;
  };
});
"""


def a_png(width: int, height: int, *, padding: int = 0) -> bytes:
    """Draw a grey picture; `padding` bytes of text make it heavier."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    heavy = chunk(b"tEXt", b"pad\0" + b"x" * padding) if padding else b""
    return b"\x89PNG\r\n\x1a\n" + head + heavy + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def files_of(manifest: Mapping[str, Any] = MANIFEST, *, script: str = SCRIPT) -> dict[str, bytes]:
    """Give the good widget's files."""
    pictures = {f"images/{name}": a_png(*size) for name, size in SIZES.items()}
    texts = {"i18n/en.json": json.dumps(ENGLISH).encode(), "i18n/es.json": json.dumps(SPANISH).encode()}
    top = {"manifest.json": json.dumps(manifest).encode(), "script.js": script.encode()}
    return {**top, **texts, **pictures, "images/tour.png": a_png(1188, 616)}


def packed(files: Mapping[str, bytes], *, zip64: bool = False) -> bytes:
    """Write the files as a zip, in their order and under their names as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=zip64) as entry:
                entry.write(data)
    return out.getvalue()


def a_manifest(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Give the good manifest with a change."""
    manifest = copy.deepcopy(MANIFEST)
    change(manifest)
    return manifest


def a_widget(hook_url: str = "http://127.0.0.1:9/hook", *, version: str = "1.0.0", script: str = SCRIPT) -> bytes:
    """Pack the good widget."""
    manifest = a_manifest(lambda whole: whole["widget"].update(version=version))
    return packed(files_of(manifest, script=script.replace(HOOK, hook_url)))


def upload(sandbox: SandboxServer, blob: bytes, *, name: str = "widget.zip") -> requests.Response:
    """Upload as Kommo's integration window does."""
    client_id = sandbox.config.accounts[0].client_id
    address = f"{sandbox.url}/ajax/widgets/{client_id}/widget/upload/"
    return requests.post(address, files={"widget": (name, blob, "application/zip")}, timeout=20)


def designer(sandbox: SandboxServer, action: str = "", body: Any = None, *, method: str = "") -> requests.Response:
    """Ask the designer's JSON side: GET without a body, POST with one."""
    address = f"{sandbox.url}/sandbox/api/designer/demo{action}"
    method = method or ("GET" if body is None else "POST")
    return requests.request(method, address, json={} if body is None and method != "GET" else body, timeout=20)


def broken_rules(sandbox: SandboxServer) -> str:
    """Give what the page says of the last refusal, in one line."""
    refusal = designer(sandbox).json()["refusal"]
    return " ".join(refusal["broken"]) if refusal else ""
