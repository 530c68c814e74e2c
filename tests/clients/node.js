// SPDX-License-Identifier: GPL-2.0-only
// Node.js: a message makes round trips between the main thread and each of
// several workers, whose loops are woken by uv_async_send(). See client.h.
"use strict";
const { Worker, isMainThread, parentPort } = require("node:worker_threads");
const fs = require("node:fs");

const WORKERS = 4, ROUNDS = 100;

function descriptors() {
	const links = fs.readdirSync("/proc/self/fd").map((fd) => {
		try {
			return fs.readlinkSync("/proc/self/fd/" + fd);
		} catch {
			return "";	// that of the folder
		}
	});
	const count = (name) => links.filter((link) => link === name).length;
	console.log(`descriptors: evfd x ${count("anon_inode:[evfd]")}, ` +
		`eventfd x ${count("anon_inode:[eventfd]")}`);
}

if (!isMainThread) {
	parentPort.on("message", (n) => parentPort.postMessage(n + 1));
} else {
	let running = WORKERS, total = 0;
	const workers = [];

	for (let i = 0; i < WORKERS; i++) {
		const worker = new Worker(__filename);
		workers.push(worker);
		worker.on("error", (error) => { throw error; });
		worker.on("message", (n) => {
			total++;
			if (n < ROUNDS) {
				worker.postMessage(n);
				return;
			}
			if (--running)
				return;
			descriptors();
			console.log(`${total} round trips to ${WORKERS} workers`);
			Promise.all(workers.map((w) => w.terminate()))
				.then(() => process.exit(
					total === WORKERS * ROUNDS ? 0 : 1));
		});
		worker.postMessage(0);
	}
}
