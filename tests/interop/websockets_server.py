"""python3-websockets as a server, with the paths of gorilla/server.go.

    websockets_server.py [CERTIFICATE KEY]

Prints its URL, ends with its standard input.
"""

import asyncio
import http
import ssl
import sys
import urllib.parse

import websockets


async def echo(connection, query):
    size = int(query.get("size", "0"))
    async for message in connection:
        if size and len(message) > size:
            await connection.send([message[at:at + size] for at in range(0, len(message), size)])
        else:
            await connection.send(message)


async def close(connection, query):
    await connection.close(int(query["code"]), query.get("reason", ""))


async def ping(connection, query):
    payload = query.get("payload", "")
    await (await connection.ping(payload))
    await connection.send(f"pong: {payload}")
    await echo(connection, query)


async def greet(connection, query):
    await connection.send("hello")
    await echo(connection, query)


PATHS = {"/echo": echo, "/pieces": echo, "/close": close, "/ping": ping, "/greet": greet}


async def serve(connection):
    parts = urllib.parse.urlsplit(connection.path)
    await PATHS[parts.path](connection, dict(urllib.parse.parse_qsl(parts.query)))


async def look_at(path, _):
    if urllib.parse.urlsplit(path).path not in PATHS:
        return http.HTTPStatus.NOT_FOUND, [], b"there is nothing here\n"
    return None


async def main(files):
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    async with websockets.serve(serve, "127.0.0.1", 0, ssl=context, subprotocols=["echo"],
                                process_request=look_at, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"{'wss' if context else 'ws'}://localhost:{port}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
