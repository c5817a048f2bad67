package embedded

import (
	"context"
	"io"
	"sync"

	"github.com/berthdev/berth/embedded/internal/image"
	"github.com/berthdev/berth/engine"
)

// ImageSave implements [engine.Images].
func (e *Engine) ImageSave(ctx context.Context, refs []string, opts engine.SaveOptions) (io.ReadCloser, error) {
	format := opts.Format
	switch format {
	case "":
		format = image.DockerArchive
	case image.DockerArchive, image.OCIArchive:
	default:
		return nil, unsupported("SaveOptions.Format", format, "want "+image.DockerArchive+" or "+image.OCIArchive)
	}
	if len(refs) == 0 {
		return nil, &engine.InvalidError{Option: "images", Reason: "none is named"}
	}
	for _, ref := range refs { // before the stream begins
		if _, err := e.images.Resolve(ref); err != nil {
			return nil, because(ctx, "save image", ref, err)
		}
	}
	return piped(ctx, func(ctx context.Context, w io.Writer) error {
		return because(ctx, "save images", "", e.images.Save(ctx, w, refs, format))
	}), nil
}

// piped reads what write writes, which runs until it is done or the reader is
// closed. Close waits for it.
func piped(ctx context.Context, write func(ctx context.Context, w io.Writer) error) io.ReadCloser {
	ctx, cancel := context.WithCancel(ctx)
	r, w := io.Pipe()
	p := &pipe{PipeReader: r, cancel: cancel, stop: context.AfterFunc(ctx, func() { r.CloseWithError(context.Cause(ctx)) })}
	p.done.Go(func() { w.CloseWithError(write(ctx, w)) })
	return p
}

type pipe struct {
	*io.PipeReader
	cancel context.CancelFunc
	stop   func() bool
	done   sync.WaitGroup
}

func (p *pipe) Close() error {
	p.PipeReader.Close()
	p.stop()
	p.cancel()
	p.done.Wait()
	return nil
}
