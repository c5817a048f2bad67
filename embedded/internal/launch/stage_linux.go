package launch

import "errors"

func stage(b *builder) (forked, error) { return forked{}, errors.New("todo") }
