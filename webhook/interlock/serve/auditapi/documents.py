"""Discovery and OpenAPI: constants, so that whoever asks whether this server lives is answered without any I/O.

Each has an ETag, by which the API server's aggregator asks again every minute without reading it again.
"""

import hashlib
from http import HTTPStatus

import orjson

from interlock.core.auditapi import discovery, openapi, status
from interlock.core.auditapi.media import Form, chosen
from interlock.core.types import JsonObject
from interlock.serve.auditapi.answers import failed
from interlock.serve.auditapi.target import Kind
from interlock.serve.messages import JSON, Answer


class Documents:
    """The constant documents of one version of the program."""

    def __init__(self, version: str) -> None:
        schema = _Document(openapi.v3(version))
        address = f"{Kind.OPENAPI_3_GROUP.value}?hash={schema.digest}"
        group = Kind.OPENAPI_3_GROUP.value.removeprefix(f"{Kind.OPENAPI_3.value}/")
        self._documents = {
            Kind.GROUPS: _Document(discovery.GROUP_LIST),
            Kind.GROUP: _Document(discovery.GROUP_DOCUMENT),
            Kind.RESOURCES: _Document(discovery.RESOURCE_LIST),
            Kind.OPENAPI_2: _Document(openapi.v2(version)),
            Kind.OPENAPI_3: _Document({"paths": {group: {"serverRelativeURL": address}}}),
            Kind.OPENAPI_3_GROUP: schema,
        }
        self._aggregated = _Document(discovery.AGGREGATED, content_type=discovery.AGGREGATED_MEDIA_TYPE)

    def answer(self, kind: Kind, *, accept: str, known: str) -> Answer:
        """Answer with a document.

        Args:
            kind: which.
            accept: the forms that the client takes.
            known: ETag of the document that the client has; empty for none.
        """
        offered = (Form.OBJECT, Form.DISCOVERY) if kind is Kind.GROUPS else (Form.OBJECT,)
        form = chosen(accept, offered)
        if form is None:
            return failed(status.not_acceptable(offered))
        document = self._aggregated if form is Form.DISCOVERY else self._documents[kind]
        headers = (("Etag", document.etag), ("Vary", "Accept"))
        if known == document.etag:
            return Answer(status=HTTPStatus.NOT_MODIFIED, body=b"", headers=headers)
        return Answer(status=HTTPStatus.OK, body=document.body, content_type=document.content_type, headers=headers)


class _Document:
    def __init__(self, content: JsonObject, *, content_type: str = JSON) -> None:
        self.body = orjson.dumps(content)
        self.digest = hashlib.sha256(self.body).hexdigest().upper()
        self.etag = f'"{self.digest}"'
        self.content_type = content_type
