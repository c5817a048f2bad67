package docker

import (
	"context"
	"net/url"

	"github.com/berthdev/berth/engine"
)

func (e *Engine) attachWebsocket(ctx context.Context, o op, path string, query url.Values) (engine.Stream, error) {
	return nil, unsupportedCall("AttachOptions.Websocket")
}
