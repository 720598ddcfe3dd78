"""Files of the repository that are made from other files of the repository.

Each is checked in, so that readers and tools see it, and made again by `hack/update generated`; `hack/verify` compares.
Making one is pure and needs nothing but the checkout: no network, no cluster, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools import chartdocs, metricsdoc, policydocs, recorddoc
from devtools.errors import ToolError
from devtools.venv import ROOT
from interlock.cli import catalogue
from interlock.cli.policy import linting, schema

CRDS = ROOT / "crds"
CHART = ROOT / "charts" / "interlock"
CHART_CRDS = CHART / "templates" / "crds"
CHART_README = CHART / "README.md"
POLICY_CRD = "dangerpolicies.yaml"
POLICY_REFERENCE = ROOT / "webhook" / "docs" / "policy-reference.md"
CATALOGUE = ROOT / "webhook" / "docs" / "catalogue.md"
POLICY_LINT = ROOT / "webhook" / "docs" / "policy-lint.md"
POLICY_TEST_SCHEMA = ROOT / "webhook" / "docs" / "policy-test.schema.json"
METRICS = ROOT / "webhook" / "docs" / "metrics.md"
RECORD = ROOT / "webhook" / "docs" / "record.md"

_HEADER = "{{- /* Made from crds/%s by `hack/update generated`; do not edit. */ -}}\n{{- if .Values.crds.enabled }}\n"
_FOOTER = "{{- end }}\n"
_METADATA = "\nmetadata:\n"
_KEEP = """\
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One generated file.

    Attributes:
        path: where it stands in the checkout.
        content: what it has to contain; None where it has to be absent, since its source is gone.
    """

    path: Path
    content: str | None

    def current(self) -> bool:
        """Tell whether the checkout holds exactly this."""
        found = self.path.read_text() if self.path.exists() else None
        return found == self.content

    def write(self) -> None:
        """Make the checkout hold exactly this."""
        if self.content is None:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.content)


def stale() -> list[Artifact]:
    """List the generated files that are not what their sources say.

    Raises:
        ToolError: a source cannot be used as it is; the message names it.
    """
    return [artifact for artifact in artifacts() if not artifact.current()]


def artifacts() -> Iterator[Artifact]:
    """Make every generated file in memory.

    Raises:
        ToolError: a source cannot be used as it is; the message names it.
    """
    sources = {source.name: source for source in sorted(CRDS.glob("*.yaml"))}
    for name, source in sources.items():
        yield Artifact(path=CHART_CRDS / name, content=crd_template(name, source.read_text()))
    for left_over in sorted(set(CHART_CRDS.glob("*.yaml")) - {CHART_CRDS / name for name in sources}):
        yield Artifact(path=left_over, content=None)
    yield Artifact(path=POLICY_REFERENCE, content=policydocs.page(sources[POLICY_CRD].read_text()))
    values = (CHART / "values.yaml").read_text()
    yield Artifact(path=CHART_README, content=chartdocs.readme(CHART_README.read_text(), values))
    yield Artifact(path=CATALOGUE, content=catalogue.markdown())
    yield Artifact(path=POLICY_LINT, content=linting.markdown())
    yield Artifact(path=POLICY_TEST_SCHEMA, content=schema.schema())
    yield Artifact(path=METRICS, content=metricsdoc.markdown())
    yield Artifact(path=RECORD, content=recorddoc.markdown())


def crd_template(name: str, crd: str) -> str:
    """Turn a CustomResourceDefinition into a chart template: installed and kept as `values.crds` says.

    Raises:
        ToolError: the text is not one YAML document with a plain `metadata:` block that has no annotations.
    """
    text = "\n" + crd.removeprefix("---\n")
    if text.count(_METADATA) != 1 or f"{_METADATA}  annotations:" in text or "\n---\n" in text:
        raise ToolError(f"crds/{name}: expected one document with one `metadata:` block without annotations")
    escaped = text.replace("{{", '{{ "{{" }}').replace(_METADATA, _METADATA + _KEEP)
    return _HEADER % name + escaped.removeprefix("\n") + _FOOTER
