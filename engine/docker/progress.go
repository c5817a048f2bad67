package docker

import (
	"encoding/json"
	"io"

	"github.com/berthdev/berth/engine"
	"github.com/berthdev/berth/internal/wire"
)

// wireProgress is a message of the streams of pull, push, load and import.
type wireProgress struct {
	Stream         string `json:"stream"`
	Status         string `json:"status"`
	ID             string `json:"id"`
	ProgressDetail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error       string `json:"error"`
	ErrorDetail *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"errorDetail"`
	Aux json.RawMessage `json:"aux"`
}

// progress reads a stream of messages to its end. An error among them is the call's, although its status was 200.
func (e *Engine) progress(o op, body io.Reader, each func(*wireProgress)) error {
	for m, err := range wire.Values[wireProgress](body) {
		switch {
		case err != nil:
			return e.fail(o, err)
		case m.ErrorDetail != nil:
			return answerError(o, m.ErrorDetail.Code, m.ErrorDetail.Message)
		case m.Error != "":
			return answerError(o, 0, m.Error)
		}
		each(&m)
	}
	return nil
}

// layers adds the progress of the layers of an image up to one total.
type layers struct {
	byID map[string]*layer
	sum  engine.PullProgress
}

type layer struct {
	current, total int64
	done           bool
}

// add takes in one message and returns the total. Bytes are those of the transfer: unpacking begins at 0 again, and is not counted.
func (l *layers) add(m *wireProgress) engine.PullProgress {
	l.sum.Status, l.sum.ID = m.Status, m.ID
	moving, done, known := layerStatus(m.Status)
	if m.ID == "" || !known {
		return l.sum
	}
	y := l.byID[m.ID]
	if y == nil {
		if l.byID == nil {
			l.byID = map[string]*layer{}
		}
		y = &layer{}
		l.byID[m.ID] = y
		l.sum.Layers++
	}
	current, total := y.current, y.total
	if moving && m.ProgressDetail.Total > 0 {
		current, total = max(current, m.ProgressDetail.Current), m.ProgressDetail.Total
	}
	if done {
		current = total
	}
	l.sum.Current += current - y.current
	l.sum.Total += total - y.total
	y.current, y.total = current, total
	if done && !y.done && finished(m.Status) {
		y.done = true
		l.sum.Done++
	}
	return l.sum
}

// layerStatus tells what the engine's words mean: whether the bytes of the message are those of the transfer, whether that is over, and whether the message is about a layer at all.
func layerStatus(status string) (moving, done, known bool) {
	switch status {
	case "Downloading", "Pushing":
		return true, false, true
	case "Download complete", "Verifying Checksum", "Extracting", "Pull complete", "Already exists", "Pushed", "Layer already exists":
		return false, true, true
	case "Pulling fs layer", "Waiting", "Preparing", "Retrying":
		return false, false, true
	}
	return false, false, false
}

// finished tells whether nothing more comes of a layer.
func finished(status string) bool {
	switch status {
	case "Pull complete", "Already exists", "Pushed", "Layer already exists":
		return true
	}
	return false
}
