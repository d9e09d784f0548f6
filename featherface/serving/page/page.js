"use strict";

const WORDS = {
  en: {
    title: "Find faces",
    drop: "Drop a picture here, paste one, or choose a file.",
    privacy: "It is sent to this service only, which stores nothing.",
    score: "Lowest score",
    landmarks: "Landmarks",
    faces: "Faces, in pixels of the picture",
    "score-column": "score", left: "left", top: "top", width: "width", height: "height",
    looking: "Looking…",
    found: (shown, all) => shown === all ? `Faces found: ${all}` : `Faces shown: ${shown} of ${all}`,
    none: "No face found at this score.",
    unreachable: "The service does not answer.",
    unreadable: "The browser can't show this picture.",
    problem: (message, hint) => hint ? `${message} — ${hint}` : message,
    network: (name, engine) => `Network: ${name}, computed by ${engine}`,
    drawing: (count) => `The picture; faces marked: ${count}`,
  },
  fr: {
    title: "Trouver des visages",
    drop: "Déposez une image ici, collez-la, ou choisissez un fichier.",
    privacy: "Elle n’est envoyée qu’à ce service, qui ne conserve rien.",
    score: "Score minimal",
    landmarks: "Points de repère",
    faces: "Visages, en pixels de l’image",
    "score-column": "score", left: "gauche", top: "haut", width: "largeur", height: "hauteur",
    looking: "Recherche en cours…",
    found: (shown, all) => shown === all ? `Visages trouvés : ${all}` : `Visages affichés : ${shown} sur ${all}`,
    none: "Aucun visage à ce score.",
    unreachable: "Le service ne répond pas.",
    unreadable: "Le navigateur ne peut pas afficher cette image.",
    problem: (message, hint, code) => REFUSALS_FR[code] || (hint ? `${message} — ${hint}` : message),
    network: (name, engine) => `Réseau : ${name}, calculé par ${engine}`,
    drawing: (count) => `L’image ; visages marqués : ${count}`,
  },
};

const REFUSALS_FR = {
  busy: "Le service est trop occupé : réessayez dans un instant.",
  stopping: "Le service s’arrête : réessayez dans un instant.",
  damaged: "L’image est endommagée ou n’est pas une image : envoyez-en une autre.",
  wrong_type: "Ce fichier n’est pas une image lisible ici : envoyez jpg, png, bmp ou webp.",
  too_many_bytes: "Le fichier est trop lourd : réduisez l’image.",
  too_many_pixels: "L’image a trop de pixels : réduisez-la.",
  slow_upload: "L’envoi a pris trop de temps : envoyez une image plus petite.",
  too_slow: "La recherche a pris trop de temps : envoyez une image plus petite.",
  defect: "Une erreur imprévue est survenue.",
};

const language = (navigator.language || "en").toLowerCase().startsWith("fr") ? "fr" : "en";
const say = WORDS[language];
const element = (id) => document.getElementById(id);
const canvas = element("picture");
const LOWEST = Number(element("score").min);
const COLOURS = ["#e8710a", "#0b57d0", "#188038", "#a142f4", "#c5221f"];

let bitmap = null;
let faces = [];
let latest = 0;

document.documentElement.lang = language;
document.title = say.title;
for (const each of document.querySelectorAll("[data-say]")) each.textContent = say[each.dataset.say];

function tell(text, bad = false) {
  element("status").textContent = text;
  element("status").classList.toggle("bad", bad);
}

function shown() {
  const lowest = Number(element("score").value);
  return faces.filter((face) => face.score >= lowest);
}

function draw() {
  if (!bitmap) return;
  const visible = shown();
  const paper = canvas.getContext("2d");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  paper.drawImage(bitmap, 0, 0);
  const unit = Math.max(bitmap.width, bitmap.height) / 640;
  paper.font = `${Math.max(10, 12 * unit)}px system-ui, sans-serif`;
  for (const face of visible) {
    const [left, top, right, bottom] = face.box;
    const thin = Math.min(2 * unit, Math.max(1, (right - left) / 12));
    for (const [style, width] of [["#000", 2 * thin], ["#ffd400", thin]]) {
      paper.strokeStyle = style;
      paper.lineWidth = width;
      paper.strokeRect(left, top, right - left, bottom - top);
    }
    if (element("with-landmarks").checked) marks(paper, face.landmarks, Math.max(1, (right - left) / 30));
    if (right - left >= 24 * unit) label(paper, face.score.toFixed(2), left, top);
  }
  canvas.setAttribute("aria-label", say.drawing(visible.length));
  fill(visible);
  if (visible.length) tell(say.found(visible.length, faces.length));
  else tell(say.none);
}

function marks(paper, points, radius) {
  points.forEach(([x, y], index) => {
    paper.beginPath();
    paper.arc(x, y, radius, 0, 2 * Math.PI);
    paper.fillStyle = COLOURS[index];
    paper.fill();
    paper.lineWidth = Math.max(0.5, radius / 3);
    paper.strokeStyle = "#fff";
    paper.stroke();
  });
}

function label(paper, text, left, top) {
  const high = parseFloat(paper.font);
  const across = paper.measureText(text).width + 4;
  const above = Math.max(top - high - 3, 0);
  paper.fillStyle = "#000";
  paper.fillRect(left, above, across, high + 3);
  paper.fillStyle = "#ffd400";
  paper.fillText(text, left + 2, above + high);
}

function fill(visible) {
  const rows = visible.map((face, index) => {
    const [left, top, right, bottom] = face.box;
    const row = document.createElement("tr");
    const values = [index + 1, face.score.toFixed(3), left, top, right - left, bottom - top];
    values.forEach((value, place) => {
      const cell = document.createElement("td");
      cell.textContent = place > 1 ? String(Math.round(value) || 0) : String(value);
      row.append(cell);
    });
    return row;
  });
  element("rows").replaceChildren(...rows);
}

function hide() {
  bitmap = null;
  element("controls").hidden = true;
  element("result").hidden = true;
}

function fail(text) {
  hide();
  tell(text, true);
}

async function look(file) {
  const turn = ++latest;
  tell(say.looking);
  let answer;
  let body;
  try {
    answer = await fetch(`detect?score=${LOWEST}`, {
      method: "POST",
      body: file,
      headers: { "content-type": "application/octet-stream" },
    });
    body = await answer.json();
  } catch {
    if (turn === latest) fail(say.unreachable);
    return;
  }
  if (turn !== latest) return;
  if (!answer.ok) {
    const { message, hint, code } = body.error;
    fail(say.problem(message, hint, code));
    return;
  }
  try {
    const decoded = await createImageBitmap(file, { imageOrientation: "from-image" });
    if (turn !== latest) return;
    bitmap = decoded;
  } catch {
    if (turn === latest) fail(say.unreadable);
    return;
  }
  faces = body.faces;
  element("controls").hidden = false;
  element("result").hidden = false;
  draw();
}

function take(files) {
  const file = Array.from(files).find((each) => each.size > 0);
  if (file) look(file);
}

element("file").addEventListener("change", (event) => take(event.target.files));
element("score").addEventListener("input", (event) => {
  element("score-shown").textContent = Number(event.target.value).toFixed(2);
  draw();
});
element("with-landmarks").addEventListener("change", draw);
document.addEventListener("paste", (event) => take(event.clipboardData.files));
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    element("drop").classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) element("drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  element("drop").classList.remove("over");
  take(event.dataTransfer.files);
});

fetch("model").then((answer) => answer.json()).then((model) => {
  element("network").textContent = say.network(model.run || model.variant, model.engine);
}).catch(() => tell(say.unreachable, true));
