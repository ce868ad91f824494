"""A headless Chromium that shows a page, through its DevTools protocol."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support import bound

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page:
    """A page in the browser; `exceptions` are those of its scripts."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self._calls = 0
        self.exceptions: list[str] = []

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        self._calls += 1
        await self._connection.write_message(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            answer = json.loads(await self._connection.read_message() or "{}")
            if answer.get("method") == "Runtime.exceptionThrown":
                self.exceptions.append(str(answer["params"]))
            if answer.get("id") == self._calls:
                result: dict[str, Any] = answer["result"]
                return result

    async def value(self, script: str) -> Any:
        """What a script comes to."""
        result = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until a condition of the page's own words holds."""
        wait = f"""new Promise((resolve, reject) => {{
            const end = Date.now() + 20000;
            const look = () => {{
                if ({condition}) resolve();
                else if (Date.now() > end) reject("waited in vain");
                else setTimeout(look, 20);
            }};
            look();
        }})"""
        await self.value(wait)


@asynccontextmanager
async def shown_page(url: str, folder: Path) -> AsyncIterator[Page]:
    """Show a page in a browser of its own."""
    assert PROGRAM is not None
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0")
    command = [PROGRAM, *flags, f"--user-data-dir={folder / 'profile'}", "--window-size=1200,800", "about:blank"]
    process = subprocess.Popen(bound(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        told = next(line for line in process.stderr if "DevTools listening on ws://" in line)
        address = told.split("ws://")[1].split("/")[0]
        answer = await AsyncHTTPClient().fetch(f"http://{address}/json/new?about:blank", method="PUT", body="")
        connection = await websocket_connect(json.loads(answer.body)["webSocketDebuggerUrl"])
        page = Page(connection)
        await page.call("Runtime.enable")
        await page.call("Page.navigate", url=url)
        yield page
        connection.close()
    finally:
        process.kill()
        process.communicate()
