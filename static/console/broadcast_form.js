// The form of a broadcast: shows the fields of the chosen audience, and the message as the customer will see it.
(() => {
  const phone = document.getElementById("broadcast-preview");
  const field = (name) => document.getElementById(`id_${name}`);
  const value = (name) => field(name)?.value.trim() ?? "";
  const audiences = {
    filter: ["staff", "tags", "channels", "added_from", "added_to", "staff_choice"],
    ids: ["ids", "staff_choice"],
    chats: ["chats"],
    matching: ["owners", "chat_name", "chat_type"],
    kept: [],
  };
  const rowOf = (name) => field(name)?.closest(`.field-${name}`) ?? field(name)?.closest(".form-row, .field-row");
  const aim = field("aim");
  const choose = () => {
    const shown = audiences[aim.value] ?? [];
    for (const name of new Set(Object.values(audiences).flat())) {
      const row = rowOf(name);
      if (row) row.hidden = !shown.includes(name);
    }
  };
  aim.addEventListener("change", choose);
  choose();

  let chosen = "";
  field("picture")?.addEventListener("change", (event) => {
    const file = event.target.files[0];
    chosen = "";
    if (!file) return draw();
    const reader = new FileReader();
    reader.onload = () => { chosen = reader.result; draw(); };
    reader.readAsDataURL(file);
  });

  const bubble = (content, note) => {
    const box = document.createElement("div");
    box.className = "c-bub";
    box.dataset.from = "企";
    box.append(content);
    if (note) { const small = document.createElement("small"); small.textContent = note; box.append(small); }
    return box;
  };
  const picture = (address) => {
    const image = document.createElement("img");
    image.src = address;
    image.alt = phone.dataset.picture;
    const box = bubble(image);
    box.classList.add("pic");
    return box;
  };
  function draw() {
    const bubbles = [];
    if (value("text")) bubbles.push(bubble(value("text")));
    const address = chosen || value("picture_url");
    if (address && !field("no_picture")?.checked) bubbles.push(picture(address));
    if (value("link_title") || value("link_url")) {
      bubbles.push(bubble(value("link_title") || value("link_url"), value("link_desc") || value("link_url")));
    }
    phone.replaceChildren(...(bubbles.length ? bubbles : [bubble(phone.dataset.empty)]));
  }
  document.addEventListener("input", draw);
  document.addEventListener("change", draw);
  draw();
})();
