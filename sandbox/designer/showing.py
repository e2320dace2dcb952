"""The designer's part of an account as plain JSON, for the page and for tests."""

from typing import Any
from urllib.parse import quote

from sandbox.accounts import Account
from sandbox.designer.packages import SCRIPT, Field, Package
from sandbox.designer.salesbots import SavedStep
from sandbox.designer.shelves import Shelf

JSON = dict[str, Any]


def shelf_snapshot(account: Account) -> JSON:
    """Give everything that the designer's page shows."""
    config, shelf = account.config, account.shelf
    client_id, name = quote(config.client_id, safe=""), quote(config.subdomain, safe="")
    return {
        "account": config.subdomain,
        "name": config.name or config.subdomain,
        "kommo_id": config.kommo_id,
        "upload": f"/ajax/widgets/{client_id}/widget/upload/?account={name}",
        "refusal": {"answer": shelf.refusal.answer, "broken": list(shelf.refusal.broken)} if shelf.refusal else None,
        "widget": _widget(config.subdomain, shelf.package, shelf) if shelf.package else None,
        "step": _step(shelf.step, shelf) if shelf.step else None,
        "imported": shelf.imported is not None,
        "runs": shelf.running is not None,
        "has_own": config.salesbot_flow is not None,
        "chat": next(iter(account.chats), ""),
    }


def keys_snapshot(account: Account) -> JSON:
    """Give what a bridge has to know of the account, its secrets included: they are made up."""
    config = account.config
    return {
        "subdomain": config.subdomain,
        "kommo_id": config.kommo_id,
        "origin": account.origin,
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "access_token": config.access_token,
    }


def _widget(subdomain: str, package: Package, shelf: Shelf) -> JSON:
    base = f"/designer/{quote(subdomain, safe='')}/widget/{package.version}"
    return {
        "version": package.version,
        "label": package.label,
        "locales": list(package.locales),
        "texts": package.texts,
        "status": shelf.status,
        "is_offered": shelf.is_offered,
        "has_settings": package.has_settings,
        "settings": [_field(field) for field in package.settings],
        "values": dict(shelf.settings),
        "steps": [
            {"code": kind.code, "label": kind.label, "fields": [_field(field) for field in kind.fields]}
            for kind in package.steps
        ],
        "script": f"{base}/{SCRIPT}",
        "logo": f"{base}/{quote(package.logo)}",
        "path": base,
    }


def _field(field: Field) -> JSON:
    return {
        "code": field.code,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "default": field.default,
        "manual": field.manual,
    }


def _step(step: SavedStep, shelf: Shelf) -> JSON:
    newest = shelf.package.version if shelf.package else ""
    return {
        "version": step.version,
        "is_old": step.version != newest,
        "handler": step.handler,
        "params": dict(step.params),
        "source": step.source,
        "exits": [{"code": one.code, "title": one.title} for one in step.exits],
        "links": {code: {"to": link.to, "text": link.text} for code, link in step.links.items()},
        "greeting": step.greeting,
        "saved_at": step.saved_at,
        "stray_exits": list(step.stray_exits),
    }
