package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 20 * time.Second

type peer struct {
	url    string
	dialer websocket.Dialer
}

func talk(url, conversation string, ca []string) error {
	p := &peer{url: url, dialer: websocket.Dialer{HandshakeTimeout: patience}}
	if len(ca) > 0 {
		text, err := os.ReadFile(ca[0])
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		p.dialer.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	run, known := map[string]func() error{
		"sizes": p.sizes, "fragments": p.fragments, "pings": p.pings,
		"subprotocols": p.subprotocols, "closes": p.closes, "limit": p.limit,
		"drain": p.drain, "together": p.together, "many": p.many, "origin": p.origin,
	}[conversation]
	if !known {
		return fmt.Errorf("no conversation %s", conversation)
	}
	return run()
}

func (p *peer) open() (*websocket.Conn, error) {
	connection, _, err := p.dialer.Dial(p.url, nil)
	if err == nil {
		connection.SetReadDeadline(time.Now().Add(patience))
	}
	return connection, err
}

// With a connection of its own, closed in the end as it should be.
func (p *peer) with(converse func(*websocket.Conn) error) error {
	connection, err := p.open()
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := converse(connection); err != nil {
		return err
	}
	return closes(connection, websocket.CloseNormalClosure, "")
}

func send(connection *websocket.Conn, kind int, data []byte) error {
	return connection.WriteMessage(kind, data)
}

func receive(connection *websocket.Conn, kind int, data []byte) error {
	echoKind, echo, err := connection.ReadMessage()
	if err != nil {
		return err
	}
	if echoKind != kind || !bytes.Equal(echo, data) {
		return fmt.Errorf("another message: %d bytes of kind %d instead of %d of %d", len(echo),
			echoKind, len(data), kind)
	}
	return nil
}

func echoes(connection *websocket.Conn, kind int, data []byte) error {
	if err := send(connection, kind, data); err != nil {
		return err
	}
	return receive(connection, kind, data)
}

// Closes, and hears the server's answer to it: the code, which is echoed.
func closes(connection *websocket.Conn, code int, reason string) error {
	frame := websocket.FormatCloseMessage(code, reason)
	if err := connection.WriteControl(websocket.CloseMessage, frame,
		time.Now().Add(patience)); err != nil {
		return err
	}
	return closedBy(connection, code)
}

func closedBy(connection *websocket.Conn, code int) error {
	for {
		_, _, err := connection.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code == code {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the end is not %d: %w", code, err)
		}
	}
}

func (p *peer) sizes() error {
	return p.with(func(connection *websocket.Conn) error {
		for _, size := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
			wide := strings.Repeat("電話☎📞", size/10)
			for _, text := range []string{strings.Repeat("*", size), wide} {
				if err := echoes(connection, websocket.TextMessage, []byte(text)); err != nil {
					return err
				}
				if err := echoes(connection, websocket.BinaryMessage, []byte(text)); err != nil {
					return err
				}
			}
			if err := echoes(connection, websocket.BinaryMessage,
				bytes.Repeat([]byte{0xff}, size)); err != nil {
				return err
			}
		}
		return nil
	})
}

// With a small buffer gorilla makes a frame of each part.
func (p *peer) fragments() error {
	p.dialer.WriteBufferSize = 128
	return p.with(func(connection *websocket.Conn) error {
		for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
			for _, size := range []int{1000, 10000, 1 << 20} {
				writer, err := connection.NextWriter(kind)
				if err != nil {
					return err
				}
				whole := bytes.Repeat([]byte("0123456789"), size/10)
				for rest := whole; len(rest) > 0; {
					part := 77
					if part > len(rest) {
						part = len(rest)
					}
					if _, err := writer.Write(rest[:part]); err != nil {
						return err
					}
					rest = rest[part:]
				}
				if err := writer.Close(); err != nil {
					return err
				}
				if err := receive(connection, kind, whole); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (p *peer) pings() error {
	return p.with(func(connection *websocket.Conn) error {
		heard := []string{}
		connection.SetPongHandler(func(payload string) error {
			heard = append(heard, payload)
			return nil
		})
		payloads := []string{"", "Hello", strings.Repeat("*", 125)}
		for _, payload := range payloads {
			if err := connection.WriteControl(websocket.PingMessage, []byte(payload),
				time.Now().Add(patience)); err != nil {
				return err
			}
			// The pong has come before what was sent behind the ping.
			if err := echoes(connection, websocket.TextMessage, []byte("then")); err != nil {
				return err
			}
		}
		if fmt.Sprint(heard) != fmt.Sprint(payloads) {
			return fmt.Errorf("pongs: %q", heard)
		}
		connection.WriteControl(websocket.PongMessage, []byte("unsolicited"),
			time.Now().Add(patience))
		return echoes(connection, websocket.TextMessage, []byte("Hello"))
	})
}

func (p *peer) subprotocols() error {
	p.dialer.Subprotocols = []string{"chat", "superchat"}
	p.dialer.EnableCompression = true
	return p.with(func(connection *websocket.Conn) error {
		if connection.Subprotocol() != "" {
			return fmt.Errorf("subprotocol %q", connection.Subprotocol())
		}
		return echoes(connection, websocket.TextMessage, []byte("Hello"))
	})
}

func (p *peer) closes() error {
	for _, code := range []int{1000, 1001, 1003, 1008, 1011, 3000, 4999} {
		for _, reason := range []string{"", "Good bye", "Auf Wiedersehn ☎"} {
			connection, err := p.open()
			if err != nil {
				return err
			}
			if err := echoes(connection, websocket.TextMessage, []byte("Hello")); err != nil {
				return err
			}
			if err := closes(connection, code, reason); err != nil {
				return err
			}
			connection.Close()
		}
	}
	return nil
}

// Of a server that takes 1 KiB.
func (p *peer) limit() error {
	connection, err := p.open()
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := send(connection, websocket.TextMessage, bytes.Repeat([]byte("*"), 1025)); err != nil {
		return err
	}
	return closedBy(connection, websocket.CloseMessageTooBig)
}

func (p *peer) drain() error {
	connections := []*websocket.Conn{}
	for range [20]int{} {
		connection, err := p.open()
		if err != nil {
			return err
		}
		defer connection.Close()
		connections = append(connections, connection)
	}
	fmt.Println("connected") // and the server is told to end
	for _, connection := range connections {
		if err := closedBy(connection, websocket.CloseGoingAway); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) together() error {
	ends := make(chan error)
	const count = 20
	for name := 0; name < count; name++ {
		go func(name int) {
			ends <- p.with(func(connection *websocket.Conn) error {
				for i := 0; i < 100; i++ {
					text := fmt.Sprint(name, i, strings.Repeat("*", i*37))
					if err := echoes(connection, websocket.TextMessage, []byte(text)); err != nil {
						return err
					}
				}
				return nil
			})
		}(name)
	}
	var first error
	for i := 0; i < count; i++ {
		if err := <-ends; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (p *peer) many() error {
	return p.with(func(connection *websocket.Conn) error {
		message := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i*131%5000) }
		const count = 2000
		sent := make(chan error, 1)
		go func() {
			for i := 0; i < count; i++ {
				if err := send(connection, websocket.BinaryMessage, message(i)); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for i := 0; i < count; i++ {
			if err := receive(connection, websocket.BinaryMessage, message(i)); err != nil {
				return err
			}
		}
		return <-sent
	})
}

func (p *peer) origin() error {
	_, response, err := p.dialer.Dial(p.url, http.Header{"Origin": {"http://example.com"}})
	if err != websocket.ErrBadHandshake || response.StatusCode != http.StatusForbidden {
		return fmt.Errorf("a foreign origin: %v", err)
	}
	own := strings.TrimSuffix(strings.Replace(p.url, "ws", "http", 1), "/echo")
	connection, _, err := p.dialer.Dial(p.url, http.Header{"Origin": {own}})
	if err != nil {
		return err
	}
	defer connection.Close()
	return echoes(connection, websocket.TextMessage, []byte("Hello"))
}
