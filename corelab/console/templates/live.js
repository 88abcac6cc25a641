// Asks for the same page again and changes only what differs: focus, scroll positions and open details stay.
(() => {
  const button = document.getElementById("pause");
  let paused = false;

  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.id === b.id;

  const attributes = (old, fresh) => {
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  };

  const morph = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    attributes(old, fresh);
    const atEnd = old.classList.contains("log") && old.scrollTop + old.clientHeight >= old.scrollHeight - 8;
    const coming = [...fresh.childNodes];
    coming.forEach((child, index) => {
      const now = old.childNodes[index];
      if (!now) old.append(child);
      else if (same(now, child)) morph(now, child);
      // What is new above something that stays must not push it out: its focus would go with it.
      else if (coming.slice(index).some((later) => same(now, later))) now.before(child);
      else now.replaceWith(child);
    });
    while (old.childNodes.length > coming.length) old.lastChild.remove();
    if (atEnd) old.scrollTop = old.scrollHeight;
  };

  const look = async () => {
    const every = Number(document.body.dataset.seconds) * 1000;
    if (!every) return;
    if (!paused && !document.hidden) {
      try {
        const answer = await fetch(location.href, { cache: "no-store" });
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = fresh.querySelector("main");
        if (answer.ok && main && !paused) {
          document.querySelectorAll("[data-live]").forEach((old) => {
            const part = fresh.getElementById(old.id);
            if (part) morph(old, part);
          });
          document.body.dataset.seconds = fresh.body.dataset.seconds;
          document.body.classList.remove("away");
        }
      } catch {
        document.body.classList.add("away");
      }
    }
    setTimeout(look, every);
  };

  document.querySelectorAll(".log").forEach((log) => { log.scrollTop = log.scrollHeight; });
  if (button) {
    button.hidden = !Number(document.body.dataset.seconds);
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Go on updating" : "Pause updates";
    });
  }
  setTimeout(look, Number(document.body.dataset.seconds) * 1000);
})();
