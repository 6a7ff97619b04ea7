/* VACUUM;
   /* nested; CREATE DATABASE d; */
   still a comment; DROP DATABASE d;
*/
SELECT 1 -- ; VACUUM
     , 'a' /* ' */ , "b" -- " ;
     , E'it\'s; \\' , U&'d\0061t\+000061;';
