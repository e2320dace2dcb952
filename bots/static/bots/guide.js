// Keeps the setup guide true while it is open: asks for its steps and takes over those that stand differently.
const LOOK_SELDOM_MS = 15000; // on a page that was left open
const LEFT_OPEN_AFTER_MS = 15 * 60 * 1000;
const guide = () => document.querySelector("[data-guide]");
const isWaiting = () => guide()?.dataset.guide === "waiting";

async function look() {
  if (document.hidden || !isWaiting()) return;
  let answer;
  try {
    answer = await fetch("?part=steps", { headers: { Accept: "text/html" }, redirect: "error" });
  } catch {
    return; // the server is away, or the login has ended: the page stays as it is
  }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-guide]");
  if (fresh) takeOver(fresh);
}

function takeOver(fresh) {
  const shown = guide();
  shown.dataset.guide = fresh.dataset.guide;
  replaceIfNew(shown.querySelector("[data-guide-progress]"), fresh.querySelector("[data-guide-progress]"));
  for (const step of fresh.querySelectorAll("li[data-stamp]")) {
    const old = document.getElementById(step.id);
    if (old.dataset.stamp !== step.dataset.stamp) updateStep(old, step);
  }
  document.querySelector("[data-guide-looks]").hidden = !isWaiting();
}

// The words inside the progress change in place, so that a screen reader tells them.
function replaceIfNew(old, fresh) {
  if (old.dataset.stamp === fresh.dataset.stamp) return;
  old.dataset.stamp = fresh.dataset.stamp;
  old.querySelector("[role=status]").textContent = fresh.querySelector("[role=status]").textContent.trim();
  old.querySelector("progress").value = fresh.querySelector("progress").value;
}

// The instructions stay: somebody may be reading, copying or standing on a link in them.
function updateStep(old, fresh) {
  const wasNext = old.hasAttribute("aria-current");
  const isNext = fresh.hasAttribute("aria-current");
  old.dataset.stamp = fresh.dataset.stamp;
  old.className = fresh.className;
  old.toggleAttribute("aria-current", isNext);
  if (isNext) old.setAttribute("aria-current", "step");
  for (const part of fresh.querySelectorAll("[data-part]")) {
    old.querySelector(`[data-part="${part.dataset.part}"]`).replaceChildren(...part.childNodes);
  }
  const details = old.querySelector("details");
  if (isNext) details.open = true;
  else if (wasNext && !details.contains(document.activeElement)) details.open = false;
}

// One look after the other: a slow server is not asked twice at a time.
function keepLooking() {
  const pause = performance.now() < LEFT_OPEN_AFTER_MS ? Number(guide().dataset.lookEvery) : LOOK_SELDOM_MS;
  setTimeout(async () => {
    await look();
    if (isWaiting()) keepLooking();
  }, pause);
}

if (isWaiting()) {
  document.querySelector("[data-guide-looks]").hidden = false;
  document.addEventListener("visibilitychange", look);
  keepLooking();
}
