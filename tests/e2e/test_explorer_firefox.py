"""The explorer in a real Firefox, which is driven over WebDriver BiDi: it works there too."""

import asyncio
import itertools
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from analysis.follow import solve_path
from analysis.path import path_points
from figures import explorer
from pipeline.datasets import DATASETS

pytestmark = pytest.mark.long
ABOUT = DATASETS["mnist"].about
CS = [0.01, 0.1, 1.0]
PATIENCE = 120  # seconds for an answer, on a busy machine
# What a visitor does, and what the page then says; the last step draws a dot.
STEPS = """
(async () => {
  const byId = (id) => document.getElementById(id);
  const said = () => [byId("C-value").value, byId("nonzero").textContent,
    document.querySelector("input[name=show]:checked").value, byId("selected-title").textContent];
  const until = async (seen) => {
    for (const end = performance.now() + 60_000; !seen();) {
      if (performance.now() > end) throw new Error(`${seen} is not so at ${location.hash}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  const all = [said()];
  byId("C").value = 0;
  byId("C").dispatchEvent(new Event("input", { bubbles: true }));
  await until(() => location.hash === "#C=0.01");
  document.querySelector("input[value=right]").click();
  document.querySelector("#gallery li:nth-child(2)").click();
  await until(() => location.hash.includes("image="));
  all.push(said(), [location.hash]);
  history.back();
  await until(() => location.hash === "#C=0.01" && said()[2] === "all");
  all.push(said());
  byId("pad").focus();
  byId("pad").dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
  all.push([byId("drawn-sum").textContent]);
  return JSON.stringify(all);
})()
"""


async def visit(command: list[str], page: Path, heard: list[str]) -> str:
    """Starts Firefox, and stops it after the steps."""
    firefox = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(PATIENCE):
            async for line in firefox.stderr:
                if found := re.search(r"BiDi listening on (ws://\S+)", line.decode()):
                    break
            else:
                raise AssertionError("Firefox ended before it listened")
        rest = asyncio.create_task(firefox.stderr.read())  # or a full pipe would stop it
        said = await drive(f"{found[1]}/session", page, heard)
        firefox.terminate()
        async with asyncio.timeout(PATIENCE):
            await rest
        return said
    finally:
        if firefox.returncode is None:
            firefox.kill()
        await firefox.wait()


async def drive(address: str, page: Path, heard: list[str]) -> str:
    """Opens the page, does the steps; what the page's console says comes into `heard`."""
    numbers = itertools.count()
    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:

        async def call(method: str, **params: Any) -> dict[str, Any]:
            number = next(numbers)
            await socket.send_json({"id": number, "method": method, "params": params})
            while (answer := await socket.receive_json(timeout=PATIENCE)).get("id") != number:
                if answer.get("method") == "log.entryAdded":
                    heard.append(answer["params"]["text"])
            assert answer["type"] == "success", answer
            return answer["result"]

        await call("session.new", capabilities={})
        context = (await call("browsingContext.getTree"))["contexts"][0]["context"]
        await call("session.subscribe", events=["log.entryAdded"])
        await call("browsingContext.navigate", context=context, url=page.as_uri(), wait="complete")
        target = {"context": context}
        done = await call("script.evaluate", expression=STEPS, target=target, awaitPromise=True)
        assert done["type"] == "success", done
        return done["result"]["value"]


def test_it_works_in_firefox(digits, tmp_path: Path) -> None:
    command = shutil.which("firefox-esr") or shutil.which("firefox")
    if command is None:
        pytest.skip("Firefox is missing: apt-get install firefox-esr")
    X, y = digits(60)
    s = np.where(y == 8, 1.0, -1.0)
    images = np.rint(255 * X).astype(np.uint8)
    X = images / 255
    points = path_points(*solve_path(X, s, CS).values(), X, s, X, s)
    images = images.reshape(-1, 28, 28)
    file = tmp_path / "explorer.html"
    text = explorer.page(points, images, ABOUT.named(y), np.arange(60), ("5", "8"), 0.1, ABOUT)
    file.write_text(text, encoding="utf-8")
    heard: list[str] = []
    profile = tmp_path / "profile"
    profile.mkdir()
    options = ("--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0")
    with ThreadPoolExecutor(1) as beside:  # Playwright may have the loop of this thread
        said = beside.submit(asyncio.run, visit([command, *options], file, heard)).result()
    start, moved, where, back, drawn = json.loads(said)
    counts = [f"{point.nonzero} of 785" for point in points]
    assert start == ["0.1", counts[1], "all", "Test image 0: a 5"]
    assert moved[:3] == ["0.01", counts[0], "right"]
    assert re.fullmatch(r"#C=0\.01&show=right&image=\d+", where[0])
    assert back == ["0.01", counts[0], "all", "Test image 0: a 5"]
    assert "reads a" in drawn[0]
    assert heard == []
