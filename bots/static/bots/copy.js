// Puts a button behind each text that is there to be copied: <code data-copy>…</code>.
document.addEventListener("DOMContentLoaded", () => {
  for (const text of document.querySelectorAll("[data-copy]")) {
    const words = document.getElementById("kb-words").dataset;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "kb-copy-button";
    button.textContent = words.wordCopy;
    button.addEventListener("click", async () => {
      const range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = words.wordCopied;
      } catch {
        button.textContent = words.wordSelected; // without HTTPS a browser lets nobody write to the clipboard
      }
    });
    text.after(button);
  }
});
