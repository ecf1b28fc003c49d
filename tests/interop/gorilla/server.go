package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// The path says what becomes of a connection:
//
//	/echo                          messages come back; it agrees to the subprotocol "echo"
//	/pieces?size=N                 the same, in frames of about N bytes
//	/close?code=C&reason=R         it is closed
//	/ping?payload=P                it is pinged, and told in a message what came back
//	/greet                         "hello" is sent right behind the answer to the request
func serve(files []string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", upgraded(echo))
	mux.HandleFunc("/pieces", upgraded(echo))
	mux.HandleFunc("/close", upgraded(closeAs))
	mux.HandleFunc("/ping", upgraded(ping))
	mux.HandleFunc("/greet", upgraded(greet))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	// "localhost", since that is what certificates are for.
	place := fmt.Sprintf("localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	if len(files) == 2 {
		fmt.Printf("wss://%s\n", place)
		return http.ServeTLS(listener, mux, files[0], files[1])
	}
	fmt.Printf("ws://%s\n", place)
	return http.Serve(listener, mux)
}

func number(r *http.Request, name string) int {
	value, _ := strconv.Atoi(r.URL.Query().Get(name))
	return value
}

func upgraded(handle func(*websocket.Conn, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{
			WriteBufferSize:   number(r, "size"),
			Subprotocols:      []string{"echo"},
			EnableCompression: true, // for whoever asks for it
		}
		connection, err := upgrader.Upgrade(w, r, http.Header{"X-Server": {"gorilla"}})
		if err != nil {
			return
		}
		defer connection.Close()
		handle(connection, r)
	}
}

func echo(connection *websocket.Conn, r *http.Request) error {
	size := number(r, "size")
	for {
		kind, data, err := connection.ReadMessage()
		if err != nil {
			return err
		}
		writer, err := connection.NextWriter(kind)
		if err != nil {
			return err
		}
		for size > 0 && len(data) > size { // gathered in the buffer: a frame each time it is full
			if _, err := writer.Write(data[:size]); err != nil {
				return err
			}
			data = data[size:]
		}
		if _, err := writer.Write(data); err != nil {
			return err
		}
		if err := writer.Close(); err != nil {
			return err
		}
	}
}

func closeAs(connection *websocket.Conn, r *http.Request) error {
	frame := websocket.FormatCloseMessage(number(r, "code"), r.URL.Query().Get("reason"))
	connection.WriteControl(websocket.CloseMessage, frame, time.Now().Add(patience))
	_, _, err := connection.ReadMessage() // the answer to it
	return err
}

func ping(connection *websocket.Conn, r *http.Request) error {
	connection.SetPongHandler(func(payload string) error {
		return connection.WriteMessage(websocket.TextMessage, []byte("pong: "+payload))
	})
	connection.WriteControl(websocket.PingMessage, []byte(r.URL.Query().Get("payload")),
		time.Now().Add(patience))
	return echo(connection, r)
}

func greet(connection *websocket.Conn, r *http.Request) error {
	if err := connection.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		return err
	}
	return echo(connection, r)
}
