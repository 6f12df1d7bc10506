// The ways a picture comes in: chosen, photographed, dropped anywhere on the page, pasted.
export function bind(take) {
  for (const id of ["file", "camera"]) {
    const input = document.getElementById(id);
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = ""; // so that the same file can be chosen again
      if (file) take(file);
    });
  }
  const dragging = (yes) => document.body.classList.toggle("dragging", yes);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    dragging(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? dragging(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dragging(false);
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) take(file);
  });
}
