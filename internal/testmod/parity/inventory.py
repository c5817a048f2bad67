"""Print what docker-py and podman-py offer for containers, as JSON: the inventory that rows are held against."""
import inspect
import json
import re
import sys

import docker
import docker.models.containers as dc
import podman
from podman.domain import containers_create
from podman.domain.containers import Container
from podman.domain.containers_manager import ContainersManager


def members(cls):
    return sorted(n for n, m in inspect.getmembers(cls) if not n.startswith("_") and (isinstance(m, property) or callable(m)))


documented = re.findall(r"^    (\w+) \(", inspect.getdoc(containers_create.CreateMixin.create), re.M)
passed = re.findall(r'(?:pop|args\.get)\("(\w+)"', inspect.getsource(containers_create.CreateMixin._render_payload))
run = {"ports", "volumes", "network", "networking_config", "stdout", "stderr", "stream", "remove"}  # of run and of **kwargs
json.dump({
    "docker-py": {
        "version": docker.__version__,
        "Container": members(dc.Container),
        "ContainerCollection": members(dc.ContainerCollection),
        "create": sorted(set(dc.RUN_CREATE_KWARGS) | set(dc.RUN_HOST_CONFIG_KWARGS) | run),
    },
    "podman-py": {
        "version": podman.__version__,
        "Container": members(Container),
        "ContainersManager": members(ContainersManager),
        "create": sorted(set(documented) | set(passed)),
    },
}, sys.stdout, indent=1)
