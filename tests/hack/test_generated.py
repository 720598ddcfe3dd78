"""Generated files: what a CustomResourceDefinition becomes in the chart."""

import pytest

from devtools import generated
from devtools.errors import ToolError

CRD = """\
kind: CustomResourceDefinition
metadata:
  name: things.interlock.dev
spec:
  description: written as {{ .Values.x }}
"""

TEMPLATE = """\
{{- /* Made from crds/things.yaml by `hack/update generated`; do not edit. */ -}}
{{- if .Values.crds.enabled }}
kind: CustomResourceDefinition
metadata:
  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
  name: things.interlock.dev
spec:
  description: written as {{ "{{" }} .Values.x }}
{{- end }}
"""


@pytest.mark.parametrize("crd", [CRD, "---\n" + CRD], ids=["plain", "with a document start"])
def test_crd_becomes_a_template_that_values_can_switch(crd: str) -> None:
    """The chart's copy is installed and kept as values say, and braces of the original stay text."""
    assert generated.crd_template("things.yaml", crd) == TEMPLATE


@pytest.mark.parametrize(
    "crd",
    [
        pytest.param("kind: CustomResourceDefinition\n", id="no metadata"),
        pytest.param(CRD + "---\n" + CRD, id="two documents"),
        pytest.param(CRD.replace("metadata:\n", "metadata:\n  annotations: {a: b}\n"), id="annotations of its own"),
    ],
)
def test_crd_that_cannot_be_switched_is_refused_by_name(crd: str) -> None:
    """A source that the generator does not understand stops it instead of producing a wrong template."""
    with pytest.raises(ToolError, match=r"^crds/things\.yaml: expected one document"):
        generated.crd_template("things.yaml", crd)
