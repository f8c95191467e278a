// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace permguard::test {

/// Answers every request with the text of the file it is about; "quit" ends it without an answer.
inline constexpr std::string_view kFcgiProgram = R"(#!/usr/bin/python3
import socket, struct

def pairs(data):
    sizes, found = [], {}
    while data:
        for _ in range(2):
            long = data[0] >> 7
            sizes.append(struct.unpack('>L', data[:4])[0] & 0x7fffffff if long else data[0])
            data = data[4 if long else 1:]
        size, length = sizes[-2:]
        found[data[:size]] = data[size:size + length]
        data = data[size + length:]
    return found

def answer(client):
    stream, parameters, kind, size, last = client.makefile('rb'), b'', 0, 1, 5
    while size or kind != last:
        _, kind, request, size, padding = struct.unpack('>BBHHBx', stream.read(8))
        data = stream.read(size + padding)[:size]
        parameters += data if kind == 4 else b''
        last = 4 if kind == 1 and data[:2] == b'\0\2' else last  # an authorizer gets no body
    about = pairs(parameters)
    if about[b'QUERY_STRING'] == b'quit':
        raise SystemExit
    try:
        text = open(about[b'SCRIPT_FILENAME'], 'rb').read()
    except OSError as error:
        text = str(error).encode()
    text += about.get(b'PATH_INFO', b'') + about[b'REQUEST_METHOD']
    page = b'Content-Type: text/plain\r\n\r\n' + text
    client.sendall(struct.pack('>BBHHH', 1, 6, request, len(page), 0) + page +
                   struct.pack('>BBHHH', 1, 6, request, 0, 0) +
                   struct.pack('>BBHHHQ', 1, 3, request, 8, 0, 0))
    client.close()

listener = socket.socket(fileno=0)
while True:
    answer(listener.accept()[0])
)";

}  // namespace permguard::test
