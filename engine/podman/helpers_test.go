package podman

import "encoding/json"

type jsonText = json.RawMessage
