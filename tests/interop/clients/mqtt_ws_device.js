// A device written with the mqtt and ws packages: accepts every stream request and echoes what comes.
// usage: node mqtt_ws_device.js URL CLIENT_ID USER_NAME, the password on standard input.
'use strict';
const fs = require('fs');
const mqtt = require('mqtt');
const WebSocket = require('ws');

const [url, clientId, username] = process.argv.slice(2);
const password = fs.readFileSync(0, 'utf8').trim();
const client = mqtt.connect(url, {clientId, username, password, clean: false, keepalive: 30, protocolVersion: 4});

client.on('error', (error) => { console.log('error', error.message); process.exit(1); });
client.on('connect', () => {
    client.subscribe(['$iothub/streams/POST/#', '$iothub/streams/res/#'], {qos: 0}, (error, granted) => {
        console.log(error ? `error ${error.message}` : `subscribed ${granted.length}`);
    });
});

client.on('message', (topic) => {
    const segments = topic.split('/');
    const pairs = new Map(segments[4].slice(1).split('&').map((pair) => pair.split('=')));
    console.log('request', segments[3], segments.length);
    client.publish(`$iothub/streams/res/200/?$rid=${pairs.get('$rid')}`, '', {qos: 0});
    const stream = new WebSocket(decodeURIComponent(pairs.get('$url')),
                                 {headers: {Authorization: `Bearer ${pairs.get('$auth')}`}});
    stream.on('message', (data) => stream.send(data, {binary: true}));
    stream.on('close', (code) => console.log('closed', code));
    stream.on('error', (error) => console.log('error', error.message));
});
