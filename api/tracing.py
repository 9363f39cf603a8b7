"""Traces for OpenTelemetry, where its own variables configure it: OTEL_EXPORTER_OTLP_ENDPOINT.

A span a request, with the times of an answer's stages; ids, sizes and times, nothing that was
asked. Without the variable nothing is imported.
"""

import os
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.request_id import request_id
from rag.errors import ConfigError
from rag.types import Answer

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def instrument(app: FastAPI) -> None:
    """Send traces of an application, if the environment says where to.

    Raises:
        ConfigError: it does, and the SDK is not installed.
    """
    if not any(os.environ.get(name) for name in VARIABLES):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(
            f"{VARIABLES[0]} is set, but OpenTelemetry is not installed; "
            "pip install 'citable-rag[otel]', or unset it"
        ) from error
    name = os.environ.get("OTEL_SERVICE_NAME", "citable-rag")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace_with(app, provider)


def trace_with(app: FastAPI, provider: Any) -> None:
    """Make spans with a tracer provider of OpenTelemetry's SDK."""
    from opentelemetry import trace

    def stages(answer: Answer) -> None:
        span = trace.get_current_span()
        for stage, seconds in answer.timings.items():
            span.set_attribute(f"rag.stage.{stage}.seconds", seconds)

    app.state.metrics.watchers.append(stages)
    app.add_middleware(Traced, tracer=provider.get_tracer("rag"))


class Traced:
    """Makes a span of each request."""

    def __init__(self, app: ASGIApp, tracer: Any) -> None:
        """Wrap an application."""
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # The SDK would write an exception's message down, which may quote a document.
        quiet = {"record_exception": False, "set_status_on_exception": False}
        with self._tracer.start_as_current_span("request", **quiet) as span:

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    span.set_attribute("rag.request_id", request_id())
                await send(message)

            try:
                await self._app(scope, receive, sending)
            finally:
                path = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {path}")
                span.set_attribute("http.route", path)
