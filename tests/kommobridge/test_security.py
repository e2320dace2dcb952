"""The content security policy on answers of every kind."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from kommobridge.security import HEADER, ContentSecurityPolicy


def policy_of(header: str) -> dict[str, list[str]]:
    parts = (part.split() for part in header.split(";"))
    return {name: sources for name, *sources in parts}


def answer(path: str, response: HttpResponse | None = None) -> HttpResponse:
    def view(request: HttpRequest) -> HttpResponse:
        return response or HttpResponse("x")

    return ContentSecurityPolicy(view)(RequestFactory().get(path))


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/kommo/key/widget-request/", "/nowhere/", "/administration/", "/ADMIN/"]
)
def test_nothing_but_our_own_files_runs_outside_of_the_admin(path: str):
    policy = policy_of(answer(path).headers[HEADER])
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == ["'self'"]


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/bots/bot/1/change/"])
def test_the_admin_may_evaluate_and_nothing_more(path: str):
    policy = policy_of(answer(path).headers[HEADER])
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy["style-src"] == ["'self'"]


@pytest.mark.parametrize("path", ["/", "/admin/"])
def test_nobody_frames_us_or_moves_our_base_or_forms(path: str):
    policy = policy_of(answer(path).headers[HEADER])
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]


def test_a_policy_of_the_view_itself_stays():
    assert answer("/", HttpResponse(headers={HEADER: "default-src 'none'"})).headers[HEADER] == "default-src 'none'"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/admin/login/", "/admin/nowhere/", "/nowhere/", "/healthz", "/static/bots/admin.css"]
)
def test_every_answer_bears_it(path: str):
    response = Client().get(path)
    assert HEADER in response.headers
    response.close()  # a file stays open until then


@pytest.mark.django_db
def test_an_error_page_bears_it(monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("kommobridge.health.look", broken)
    response = Client(raise_request_exception=False).get("/readyz")
    assert (response.status_code, HEADER in response.headers) == (500, True)
