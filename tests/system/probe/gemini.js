// SPDX-License-Identifier: MIT
// In the Gemini CLI's place, in its sandbox: asks upstream as the CLI does, and answers with what it found there. The last
// word of its prompt is the command: `look`, `eat` (memory), `fork`, `stay`, `talk` (only the answer).
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import dgram from "node:dgram";
import { spawnSync, spawn } from "node:child_process";

function say(event) {
  let bytes = Buffer.from(JSON.stringify(event) + "\n");
  while (bytes.length > 0)
    try { bytes = bytes.subarray(fs.writeSync(1, bytes)); } catch (e) { if (e.code !== "EAGAIN") throw e; }
}
const attempt = (f) => { try { return f() ?? "done"; } catch (e) { return e.code ?? String(e); } };
const later = (f) => new Promise((resolve) => f(resolve)).catch((e) => e.code ?? String(e));

function walk(dir, see, depth = 0) {
  let entries = [];
  try { entries = fs.readdirSync(dir, { withFileTypes: true }); } catch { return; }
  for (const e of entries) {
    const name = path.join(dir, e.name);
    see(name, e);
    if (e.isDirectory() && depth < 12 && !/^\/(proc|sys|opt\/|usr\/lib|lib|lib64)(\/|$)/.test(name)) walk(name, see, depth + 1);
  }
}

const connect = (where) => later((resolve) => {
  const s = net.connect(where, () => { s.destroy(); resolve("connected"); });
  s.on("error", (e) => resolve(e.code));
  setTimeout(() => resolve("timeout"), 3000).unref();
});

async function look() {
  const sockets = [], files = [], found = {};
  walk("/", (name, e) => {
    if (e.isSocket()) sockets.push(name);
    else if (e.isFile() && !/^\/(opt|usr\/lib|proc|sys|dev|tmp)/.test(name)) files.push(name);
  });
  found.sockets = {};
  for (const name of sockets) found.sockets[name] = await connect(name);
  for (const name of ["/run/dbus/system_bus_socket", "/run/gemgate/http.sock", "/run/gemgate/runner.sock",
    "/run/systemd/private", "/run/systemd/journal/socket", "\0/tmp/.X11-unix/X0"]) found.sockets[name] ??= await connect(name);
  found.network = {};
  for (const [host, port] of [["127.0.0.1", 8080], ["127.0.0.1", Number(process.env.GOOGLE_GEMINI_BASE_URL.split(":").pop())],
    ["10.0.0.1", 80], ["8.8.8.8", 53], ["::1", 8080]]) found.network[`${host} ${host === "127.0.0.1" && port !== 8080 ? "relay" : port}`] = await connect({ host, port });
  found.interfaces = attempt(() => Object.keys(os.networkInterfaces()));
  found.files = files;
  found.read = {};
  for (const name of ["/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/gemgate/api-keys", "/var/lib/gemgate", "/home", "/root",
    "/proc/1/environ", "/proc/1/cmdline", "/usr/bin/gemgated", "/etc/machine-id"])
    found.read[name] = attempt(() => void (fs.statSync(name).isDirectory() ? fs.readdirSync(name) : fs.readFileSync(name)));
  found.write = {};
  for (const name of ["/x", "/usr/lib/x", "/opt/gemgate-cli/x", "/run/x", "/run/gemgate-job/x", "/dev/x", "/tmp/x", process.cwd() + "/x"])
    found.write[name.replace(process.cwd(), "work")] = attempt(() => fs.writeFileSync(name, "x"));
  found.exec = {};
  for (const name of ["/bin/sh", "/usr/bin/id", process.execPath])
    found.exec[name === process.execPath ? "node" : name] = attempt(() => { const r = spawnSync(name, ["--version"]); if (r.error) throw r.error; });
  found.exec["written"] = attempt(() => {
    fs.copyFileSync(process.execPath, "/tmp/node"); fs.chmodSync("/tmp/node", 0o755);
    const r = spawnSync("/tmp/node", ["--version"]); if (r.error) throw r.error;
  });
  found.processes = attempt(() => fs.readdirSync("/proc").filter((n) => /^\d+$/.test(n)).map(Number));
  found.raw = await later((resolve) => {
    const s = dgram.createSocket("udp4"); s.on("error", (e) => resolve(e.code));
    s.send("x", 53, "8.8.8.8", (e) => { resolve(e ? e.code : "sent"); s.close(); });
  });
  const status = Object.fromEntries(fs.readFileSync("/proc/self/status", "utf8").split("\n").map((l) => l.split(":\t")));
  found.status = Object.fromEntries(["Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp"].map((k) => [k, status[k]]));
  found.cgroup = fs.readFileSync("/proc/self/cgroup", "utf8");
  found.env = process.env;
  return found;
}

let input = "";
for await (const chunk of process.stdin) input += chunk;
const word = input.replaceAll("\u200b", "").trim().split(/\s+/).pop();
say({ type: "init", session_id: "x", model: "x" });
const answer = await fetch(`${process.env.GOOGLE_GEMINI_BASE_URL}/v1beta/models/x:streamGenerateContent?alt=sse`, {
  method: "POST", headers: { "x-goog-api-key": process.env.GEMINI_API_KEY, "content-type": "application/json" },
  body: JSON.stringify({ contents: [{ role: "user", parts: [{ text: input }] }] }),
});
await answer.text();
let text = "talked";
if (word === "look") text = JSON.stringify(await look());
if (word === "eat") { const all = []; for (;;) { const b = Buffer.alloc(64 << 20, 1); all.push(b); } }
if (word === "fork") {
  const children = []; let failed = null;
  for (let i = 0; i < 200 && !failed; i++) {
    const c = spawn(process.execPath, ["-e", "setTimeout(() => 0, 60000)"]);
    await later((resolve) => { c.on("spawn", () => resolve()); c.on("error", (e) => { failed = e.code; resolve(); }); });
    children.push(c);
  }
  text = `${failed} ${children.length}`;
}
if (word === "stay") { say({ type: "message", role: "assistant", content: `pid ${process.pid}`, delta: true }); setInterval(() => 0, 1000); await new Promise(() => 0); }
for (let i = 0; i < text.length; i += 16384)
  say({ type: "message", role: "assistant", content: text.slice(i, i + 16384), delta: true });
say({ type: "result", status: "success", stats: {} });
process.exit(0);
