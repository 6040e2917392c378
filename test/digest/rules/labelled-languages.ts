import { type Labelled, posted } from './labelled.ts';

export const messages: readonly Labelled[] = [
  ...posted('2026-03-11T09:30:00Z', 'Europe/Berlin', [
    ['Wir rollen morgen um 10 Uhr die neue Version der App aus.', 'Deploy/Launch|planned|app|2026-03-12T09:00'],
    ['Heute Abend 22:00 Wartungsarbeiten an der Datenbank', 'Other|planned|wartung/datenbank|2026-03-11T21:00'],
    ['Die Störung beim Login ist behoben.', 'Incident|completed|login|'],
    ['Das Release 4.1 wurde auf Montag verschoben.', 'Launch|postponed|4.1/release|2026-03-16'],
    ['Betriebsversammlung am 20. März um 14 Uhr', 'Other|planned|betriebsversammlung|2026-03-20T13:00'],
    ['Hat jemand Lust auf Mittagessen?'],
    ['Danke für das schnelle Review!'],
    ['Sollten wir das morgen deployen?'],
  ]),
  ...posted('2026-03-11T09:30:00Z', 'Europe/Paris', [
    ['Le déploiement du service paiement est prévu demain à 14h', 'Deploy|planned|paiement|2026-03-12T13:00'],
    ['La mise en production de la v3 est reportée à vendredi', 'Deploy|postponed|v3|2026-03-13'],
    ["L'incident sur le site est résolu", 'Incident|completed|site/incident|'],
    ['Merci à tous pour hier soir'],
    ["Qui peut m'aider avec le VPN ?"],
  ]),
  ...posted('2026-03-11T09:30:00Z', 'Europe/Madrid', [
    ['El lanzamiento de la nueva web será el 20 de marzo a las 10:00', 'Launch|planned|web|2026-03-20T09:00'],
    ['La reunión de equipo es mañana a las 16:00', 'Other|planned|equipo/reunión|2026-03-12T15:00'],
    ['¿Alguien sabe dónde está el cargador?'],
  ]),
  ...posted('2026-03-11T09:30:00Z', 'Europe/Moscow', [
    ['Завтра в 15:00 релиз мобильного приложения', 'Launch|planned|мобильного|2026-03-12T12:00'],
    ['Выкатили новую версию биллинга на прод', 'Deploy|completed|биллинг/верси|'],
    ['Релиз 5.2 перенесён на пятницу', 'Launch|postponed|5.2|2026-03-13'],
    ['Всем привет, кто идёт обедать?'],
  ]),
  ...posted('2026-03-11T03:00:00Z', 'Asia/Tokyo', [
    ['明日15時から全体会議があります。', 'Other|planned|会議|2026-03-12T06:00'],
    ['本番環境でログイン障害が発生しています。', 'Incident|started|ログイン|'],
    ['お疲れ様です！'],
  ]),
  ...posted('2026-03-11T09:30:00Z', 'Europe/Amsterdam', [
    ['Het onderhoud aan de database begint zaterdag om 22:00', 'Other|planned|onderhoud/database|2026-03-14T21:00'],
    ['Lekker weekend allemaal!'],
  ]),
  ...posted('2026-03-11T12:00:00Z', 'America/Sao_Paulo', [
    ['A implantação do app foi concluída com sucesso', 'Deploy|completed|app|'],
    ['Bom dia pessoal'],
  ]),
];
