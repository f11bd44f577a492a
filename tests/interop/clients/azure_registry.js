// The Registry of the unmodified azure-iothub package: reads the service's connection string as the first line of
// standard input and then one call a line, as JSON [method, argument, ...]; prints one JSON line for each answer:
// {"status", "result"} or {"error", "status"}.
'use strict';
const readline = require('readline');
const {Registry} = require('azure-iothub');

async function answer(registry, [method, ...parameters]) {
    try {
        const {responseBody, httpResponse} = await registry[method](...parameters);
        return {status: httpResponse.statusCode, result: responseBody};
    } catch (error) {
        return {error: error.name, text: error.message, status: error.response && error.response.statusCode};
    }
}

async function main() {
    let registry;
    for await (const line of readline.createInterface({input: process.stdin})) {
        if (registry === undefined) registry = Registry.fromConnectionString(line);
        else console.log(JSON.stringify(await answer(registry, JSON.parse(line))));
    }
    process.exit(0);
}

main();
