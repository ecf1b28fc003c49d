// Command gorilla is gorilla/websocket at the other end:
//
//	gorilla talk URL CONVERSATION [CA]   as a client of the echo; status 0: all well
//	gorilla serve [CERTIFICATE KEY]      as an echo; prints its URL, ends with its standard input
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) >= 3 && arguments[0] == "talk":
		return talk(arguments[1], arguments[2], arguments[3:])
	case len(arguments) >= 1 && arguments[0] == "serve":
		return serve(arguments[1:])
	}
	return fmt.Errorf("usage: gorilla talk URL CONVERSATION [CA] | gorilla serve [CERTIFICATE KEY]")
}
