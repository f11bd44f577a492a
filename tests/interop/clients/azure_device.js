// An unmodified Azure IoT device. usage: node azure_device.js (Mqtt|MqttWs), the connection string on standard input.
// Connects, listens for messages, sends telemetry, asks for its twin, says so, and leaves on the next line of standard
// input or its end.
'use strict';
const readline = require('readline');
const {NoRetry} = require('azure-iot-common');
const {Client, Message} = require('azure-iot-device');
const transports = require('azure-iot-device-mqtt');

const lines = readline.createInterface({input: process.stdin});
lines.once('line', async (connectionString) => {
    const client = Client.fromConnectionString(connectionString, transports[process.argv[2]]);
    client.setRetryPolicy(new NoRetry());
    try {
        await client.open();
        console.log('open');
        client.on('message', (message) => client.complete(message));
        await client.sendEvent(new Message(JSON.stringify({pressure: 7})));
        console.log('telemetry acknowledged');
        client.getTwin((error) => console.log('twin', error ? `refused: ${error.message}` : 'found'));
    } catch (error) {
        console.log('failed', error.name);
        process.exit(2);
    }
    lines.once('close', async () => {
        await client.close();
        console.log('closed');
        process.exit(0);
    });
});
