// A service written with Node's https and the ws package: opens one stream, sends blocks, expects their echo.
// Reads {host, port, device, name, authorization, blocks: [sizes]} as JSON on standard input; prints one JSON line.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const WebSocket = require('ws');

const order = JSON.parse(fs.readFileSync(0, 'utf8'));

function openStream() {
    return new Promise((resolve, reject) => {
        const request = https.request({
            host: order.host, port: order.port, method: 'POST',
            path: `/twins/${encodeURIComponent(order.device)}/streams/${order.name}?api-version=2018-10-20-preview`,
            headers: {
                Authorization: order.authorization,
                'iothub-streaming-connect-timeout-in-seconds': 30,
                'iothub-streaming-response-timeout-in-seconds': 30,
            },
        }, (response) => {
            response.resume();
            response.on('end', () => resolve(response));
        });
        request.on('error', reject);
        request.end();
    });
}

openStream().then((response) => {
    if (response.headers['iothub-streaming-is-accepted'] !== 'True') {
        console.log(JSON.stringify({status: response.statusCode, accepted: false}));
        return;
    }
    const sent = Buffer.concat(order.blocks.map((size) => crypto.randomBytes(size)));
    const received = [];
    let count = 0;
    const stream = new WebSocket(response.headers['iothub-streaming-url'], {
        headers: {Authorization: `Bearer ${response.headers['iothub-streaming-auth-token']}`},
    });
    stream.on('open', () => {
        let offset = 0;
        for (const size of order.blocks) stream.send(sent.subarray(offset, offset += size), {binary: true});
    });
    stream.on('message', (data) => {
        received.push(data);
        count += data.length;
        if (count >= sent.length) stream.close(1000);
    });
    stream.on('close', (code) => {
        console.log(JSON.stringify({
            status: response.statusCode, accepted: true, code, extensions: stream.extensions,
            same: Buffer.concat(received).equals(sent),
        }));
    });
    stream.on('error', (error) => { console.log(JSON.stringify({error: error.message})); process.exit(1); });
}).catch((error) => { console.log(JSON.stringify({error: error.message})); process.exit(1); });
