// Every word of the page, in both languages.
const EN = {
  title: "Service dashboard", back: "Read a card", language: "Français", key: "Key of this service", open: "Show",
  requests: "Cards", latency: "Time by stage", memory: "Resident memory", engine: "Model server", adapters: "Adapters",
  chart: "Cards a second, last five minutes", window: "Cards of the last five minutes; of all time where there were none",
  stage: "Stage", count: "Count", adapter: "Adapter", share: "Share", errors: "Errors", running: "Running",
  tokens: "Tokens", first: "First token p95", duration: "Answer p95",
  rate: "a second", answered: "answered", refused_cards: "refused", failed: "failed", waiting: "wait for the OCR",
  engine_running: "running", engine_waiting: "waiting", kv_cache: "KV cache",
  slots: "in slots", in_memory: "in memory", disk: "on disk", of: "of",
  ok: "live", away: "The model server does not answer.", refused: "The model server's metrics take a key: set OCR_FRONT_SERVER_METRICS_KEY.",
  unreadable: "The model server's metrics cannot be read.", front_away: "This service does not answer.", wrong_key: "This page takes a key.", no_scope: "This key has no scope metrics; another one is needed.",
  guarded: "The model server's numbers take a key with the scope metrics.",
  none: "No adapter was asked yet.",
};
const FR = {
  title: "Tableau de bord", back: "Lire une carte", language: "English", key: "Clé de ce service", open: "Afficher",
  requests: "Cartes", latency: "Temps par étape", memory: "Mémoire résidente", engine: "Serveur de modèles", adapters: "Adaptateurs",
  chart: "Cartes par seconde, cinq dernières minutes", window: "Cartes des cinq dernières minutes ; depuis le démarrage s’il n’y en a pas",
  stage: "Étape", count: "Nombre", adapter: "Adaptateur", share: "Part", errors: "Erreurs", running: "En cours",
  tokens: "Jetons", first: "Premier jeton p95", duration: "Réponse p95",
  rate: "par seconde", answered: "répondues", refused_cards: "refusées", failed: "en échec", waiting: "attendent l’OCR",
  engine_running: "en cours", engine_waiting: "en attente", kv_cache: "cache KV",
  slots: "en emplacement", in_memory: "en mémoire", disk: "sur disque", of: "sur",
  ok: "en direct", away: "Le serveur de modèles ne répond pas.", refused: "Les métriques du serveur de modèles demandent une clé : OCR_FRONT_SERVER_METRICS_KEY.",
  unreadable: "Les métriques du serveur de modèles sont illisibles.", front_away: "Ce service ne répond pas.", wrong_key: "Cette page demande une clé.", no_scope: "Cette clé n’a pas la portée metrics ; il en faut une autre.",
  guarded: "Les nombres du serveur de modèles demandent une clé de portée metrics.",
  none: "Aucun adaptateur n’a encore été demandé.",
};
export const WORDS = { en: EN, fr: FR };
