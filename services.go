package berth

// Images is [Client].Images.
type Images struct{ cli *Client }

// Volumes is [Client].Volumes.
type Volumes struct{ cli *Client }

// Networks is [Client].Networks.
type Networks struct{ cli *Client }

// Secrets is [Client].Secrets. Docker has none.
type Secrets struct{ cli *Client }
